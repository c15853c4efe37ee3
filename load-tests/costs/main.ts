/**
 * `node load-tests/costs/main.ts [names…] [--tiny] [--out FILE]`: measures unit costs on this machine into today's file; named ones
 * replace theirs and leave the others. A tiny run shows that it works and writes nothing unless told where.
 */
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadNow, machine } from '../bench/figure.ts';
import { COSTS, CostsFile, FOLDER, type Cost, type CostName } from './costs.ts';
import { MEASUREMENTS } from './measurements.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tiny: { type: 'boolean', default: false }, out: { type: 'string' } },
});
const unknown = positionals.filter((name) => !(name in MEASUREMENTS));
if (unknown.length > 0) {
  console.error(`✗ no such measurement: ${unknown.join(', ')}. There are: ${Object.keys(MEASUREMENTS).join(', ')}`);
  process.exit(2);
}

const effort = values.tiny ? 'tiny' : 'full';
const file = values.out ?? (values.tiny ? undefined : join(FOLDER, `${new Date().toISOString().slice(0, 10)}.json`));
const before =
  file !== undefined && existsSync(file) ? CostsFile.parse(JSON.parse(readFileSync(file, 'utf8'))).costs : {};
const costs: Partial<Record<CostName, Cost>> = { ...before };
let failures = 0;
for (const [name, measurement] of Object.entries(MEASUREMENTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`◌ ${name}: ${measurement.names.join(', ')}`);
  const [loadBefore, at] = [loadNow(), new Date().toISOString()];
  try {
    for (const { name: cost, spread, from } of await measurement.run(effort, (line) => console.log(`    ${line}`))) {
      const { median, medianRange, min, p95, max, count: samples } = spread;
      const [low, high] = medianRange;
      const unit = COSTS[cost][0];
      costs[cost] = {
        unit,
        ...rounded({ median, low, high, min, p95, max }),
        samples,
        how: 'measured',
        from,
        at,
        load: [loadBefore, loadNow()],
      };
      console.log(
        `✓ ${cost}  ${median.toPrecision(3)} ${unit} (${min.toPrecision(3)} – ${max.toPrecision(3)}, ${samples})`,
      );
    }
    // Each as it comes: an hour's measurements are not lost to the last one.
    if (file !== undefined) await writeFile(file, text(costs));
  } catch (error) {
    failures += 1;
    console.error(`✗ ${name}:`, error);
  }
}
process.exit(failures > 0 ? 1 : 0);

function rounded<K extends string>(figures: Readonly<Record<K, number>>): Record<K, number> {
  return Object.fromEntries(
    Object.entries<number>(figures).map(([key, value]) => [key, Number(value.toPrecision(4))]),
  ) as Record<K, number>;
}

function text(all: Partial<Record<CostName, Cost>>): string {
  const sorted = Object.fromEntries(
    Object.keys(COSTS).flatMap((name) => (all[name as CostName] ? [[name, all[name as CostName]]] : [])),
  );
  return `${JSON.stringify(CostsFile.parse({ version: 1, machine: machine(), costs: sorted }), undefined, 2)}\n`;
}
