/**
 * Finds the exact optimum of every case with HiGHS and writes optimum.json: `node packages/topology/optimum/solve.ts`,
 * some minutes. One flow for each region (the disaggregated form, whose relaxation is tight), one yes or no for each leg.
 */
import { writeFileSync } from 'node:fs';
import loadHighs from 'highs';
import type { Legs } from '../src/arborescence.ts';
import { CASES, legsOf } from './world.ts';

const highs = await loadHighs();
const solved = [];
for (const one of CASES) {
  const started = performance.now();
  const legs = legsOf(one);
  const { Status: status, ObjectiveValue: value } = highs.solve(programOf(legs), { mip_rel_gap: 0 });
  if (status !== 'Optimal') throw new Error(`not solved: ${status}`);
  const total = Array.from({ length: legs.count - 1 }, (_, i) => legs.weight(i + 1)).reduce((a, b) => a + b, 0);
  solved.push({ ...one, meanMs: Number((value / total).toFixed(4)) });
  process.stdout.write(
    `${one.source} ${one.weights} ${one.fanOut}: ${(value / total).toFixed(3)} ms, ${Math.round(performance.now() - started)} ms\n`,
  );
}
writeFileSync(new URL('optimum.json', import.meta.url), `${JSON.stringify(solved, undefined, 2)}\n`);

/** In the LP format of CPLEX. */
function programOf({ count, ms, weight, slots }: Legs): string {
  const all = Array.from({ length: count }, (_, vertex) => vertex);
  const others = all.slice(1);
  const legs = all.flatMap((from) => others.filter((to) => to !== from).map((to) => [from, to] as const));
  const cost = others.flatMap((k) => legs.map(([i, j]) => `${weight(k) * ms(i, j)} f${k}_${i}_${j}`));
  const rules = [
    ...others.map((j) => `${sum(legs.filter(([, to]) => to === j).map(([i]) => `x${i}_${j}`))} = 1`),
    ...all.map((i) => `${sum(legs.filter(([from]) => from === i).map(([, j]) => `x${i}_${j}`))} <= ${slots(i)}`),
    ...others.flatMap((k) => legs.map(([i, j]) => `f${k}_${i}_${j} - x${i}_${j} <= 0`)),
    ...others.flatMap((k) =>
      others.map((at) => {
        const into = sum(legs.filter(([, to]) => to === at).map(([i]) => `f${k}_${i}_${at}`));
        const out = legs.filter(([from]) => from === at).map(([, j]) => ` - f${k}_${at}_${j}`);
        return `${into}${out.join('')} = ${at === k ? 1 : 0}`;
      }),
    ),
  ];
  const names = rules.map((rule, i) => ` r${i}: ${rule}`).join('\n');
  const binary = legs.map(([i, j]) => `x${i}_${j}`).join(' ');
  return `Minimize\n obj: ${sum(cost)}\nSubject To\n${names}\nBinary\n ${binary}\nEnd\n`;
}

function sum(terms: readonly string[]): string {
  return terms.join(' + ');
}
