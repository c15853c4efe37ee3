/** Prints the line that ends every test run: `N passed, N failed, N skipped`. Files that could not be loaded count as failed. */
import type { Reporter, TestModule } from 'vitest/node';

export default class TestSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) count[test.result().state]++;
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) count.failed++;
    }
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped\n`);
  }
}
