/** `veilcast load NAME`: runs the scenario, shows how it goes, writes the report, exits by its thresholds. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ApiKey } from '../token.ts';
import { load, merge, type LoadOptions } from './run.ts';
import { scenarios } from './scenario.ts';

const EXIT = { held: 0, missed: 1, void: 2 } as const;
/** Each is a process that wants a core. */
const GENERATORS_MAX = 16;

interface Arguments extends Omit<LoadOptions, 'apiKey'> {
  readonly key?: string;
  readonly secret?: string;
  readonly merge?: readonly string[];
}

function generators(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= GENERATORS_MAX) return value;
  throw new InvalidArgumentError(`Generators are 1 to ${GENERATORS_MAX}.`);
}

export function loadCommand(
  secret: Option,
  apiKeyOf: (options: { key?: string; secret?: string }) => ApiKey | undefined,
) {
  return new Command('load')
    .description('run a load scenario against a cluster of its own, or yours')
    .argument('[name]', 'the scenario; left out: which there are')
    .option('--url <url>', 'a cluster that is there already')
    .option('--token <token>', 'of this test, which that cluster shows: its --load-token')
    .option('--confirm <host>', 'its host, where that is not this machine')
    .option('--key <id>', 'an API key of that cluster')
    .addOption(secret)
    .addOption(new Option('--size <size>', 'how much of it').choices(['tiny', 'full']).default('full'))
    .addOption(
      new Option('--generators <count>', 'processes that share the people among them').default(1).argParser(generators),
    )
    .option('--merge <folders...>', 'make one report of what generators left in these folders, and run nothing')
    .option('--out <dir>', 'where the report goes; .veilcast/load/ when not given')
    .action(async (name: string | undefined, options: Arguments) => {
      if (options.merge !== undefined) {
        process.exitCode = EXIT[(await merge(options.merge, options.out)).outcome];
        return;
      }
      if (name === undefined) {
        process.stdout.write(await list());
        return;
      }
      process.exitCode = EXIT[(await load(name, { ...options, apiKey: apiKeyOf(options) })).outcome];
    });
}

async function list(): Promise<string> {
  const all = await scenarios();
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map(({ name, title }) => `${name.padEnd(width)}  ${title}\n`).join('');
}
