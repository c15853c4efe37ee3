/** `npm run test:regions [-- names…]`: the chaos scenarios over emulated regions, and whether all was as expected. Needs root. */
import { missingForLab } from '@veilcast/testkit/lab';
import { runScenario } from './run.ts';
import { SCENARIOS } from './scenarios.ts';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
const missing = missingForLab();
if (unknown.length > 0 || missing !== undefined) {
  console.error(
    `✗ ${missing ?? `no such scenario: ${unknown.join(', ')}. There are: ${SCENARIOS.map(({ name }) => name).join(', ')}`}`,
  );
  process.exit(2);
}

let failed = 0;
for (const scenario of SCENARIOS) {
  if (wanted.length > 0 && !wanted.includes(scenario.name)) continue;
  console.log(`◌ ${scenario.name}: ${scenario.title}`);
  try {
    const outcomes = await runScenario(scenario, (line) => console.log(`    ${line}`));
    failed += outcomes.filter(({ tookMs }) => tookMs === undefined).length;
  } catch (error) {
    failed += 1;
    console.error(`✗ ${scenario.name}:`, error);
  }
}
console.log(failed === 0 ? 'all as expected' : `${failed} not as expected`);
process.exit(failed === 0 ? 0 : 1);
