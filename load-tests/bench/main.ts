/** `npm run bench [-- names…] [--write] [--tiny]`: runs the benches one after another and prints one table. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { BENCHES } from './benches.ts';
import { machine, pageOf, tableOf, type Figure } from './figure.ts';

const PAGE = new URL('../../docs/performance.md', import.meta.url);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
  },
});
const names = BENCHES.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`✗ no such bench: ${unknown.join(', ')}. There are: ${names.join(', ')}`);
  process.exit(2);
}

const at = new Date();
const figures: Figure[] = [];
const failed = new Map<string, string>();
for (const bench of BENCHES) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  console.log(`◌ ${bench.name}: ${bench.title}`);
  const began = performance.now();
  try {
    figures.push(...(await bench.run(values.tiny ? 'tiny' : 'full', (line) => console.log(`    ${line}`))));
    console.log(`✓ ${bench.name}  ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  } catch (error) {
    failed.set(bench.name, error instanceof Error ? error.message : String(error));
    console.error(`✗ ${bench.name}:`, error);
  }
}

console.log(`\n${tableOf(figures)}\n\nmeasured on ${machine()}, ${at.toISOString().slice(0, 16)}Z`);
if (values.write) await writeFile(PAGE, pageOf(figures, failed, at));
// A goal that was missed is a figure; only a bench that could not run is a failure.
process.exit(failed.size > 0 ? 1 : 0);
