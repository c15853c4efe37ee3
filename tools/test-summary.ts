/**
 * Prints the line that ends every test run: `N passed, N failed, N skipped`. Files that could not be loaded count as failed;
 * what passed only at its second try is counted as passed and named above it.
 */
import type { Reporter, TestModule } from 'vitest/node';

export default class TestSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const shaky: string[] = [];
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        count[test.result().state]++;
        if (test.diagnostic()?.flaky === true) shaky.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) count.failed++;
    }
    for (const name of shaky) process.stdout.write(`passed at the second try: ${name}\n`);
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped\n`);
  }
}
