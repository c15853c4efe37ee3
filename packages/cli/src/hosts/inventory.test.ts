import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseInventory } from './inventory.ts';

const host = (name: string, at: number, runs: string): string =>
  `[[hosts]]\nname = "${name}"\nregion = "eu"\naddress = "10.0.0.${at}"\nruns = [${runs}]\n`;
const ALL = '"store", "signaling", "cascade-router", "sfu-node"';

function why(text: string): string {
  try {
    parseInventory(text);
  } catch (thrown) {
    return thrown instanceof z.ZodError ? thrown.issues.map(({ message }) => message).join('; ') : String(thrown);
  }
  return 'taken';
}

test.each(['one-host', 'three-hosts'])('the example %s is taken', (name) => {
  const text = readFileSync(new URL(`../../../../infra/${name}.toml`, import.meta.url), 'utf8');
  expect(parseInventory(text).cluster).toBe('example');
});

test.each([
  ['two hosts of one name', host('a', 1, ALL) + host('a', 2, '"sfu-node"'), 'two hosts have one name'],
  ['two hosts of one address', host('a', 1, ALL) + host('b', 1, '"sfu-node"'), 'two hosts have one address'],
  ['no node', host('a', 1, '"store", "signaling", "cascade-router"'), 'no host runs sfu-node'],
  ['no store', host('a', 1, '"signaling", "cascade-router", "sfu-node"'), '0 hosts run the store'],
  ['two stores: sentinels could not agree', host('a', 1, ALL) + host('b', 2, '"store"'), '2 hosts run the store'],
  ['something else to run', host('a', 1, `${ALL}, "mail"`), 'Invalid option'],
  ['a misspelt key', `${host('a', 1, ALL)}worker = 2\n`, 'Unrecognized key'],
  ['no TOML', 'hosts = [', 'Invalid TOML document'],
])('refused: %s', (_, text, reason) => {
  expect(why(text)).toContain(reason);
});
