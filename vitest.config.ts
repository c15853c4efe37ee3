import { configDefaults, defineConfig } from 'vitest/config';

/**
 * unit: pure code, models and services on fakes of the outside, side by side. real: workers and browsers, one file at a time.
 * The real ones run on machines that are busy with other things: what fails there is tried once more, and the summary names
 * it. Never the unit tests: a random history that fails once has found something.
 */
export default defineConfig({
  test: {
    reporters: ['default', './tools/test-summary.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            '{signaling,sfu-node,cascade-router}/src/**/*.test.ts',
            'tools/**/*.test.ts',
            'test/{simulation,fuzz,models,specification}/**/*.test.ts',
          ],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'real',
          include: ['{packages/*,signaling,sfu-node,cascade-router,load-tests}/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/{simulation,fuzz,models,specification}/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry: 1,
          // After the unit tests: two cores are few for browsers that encode and decode.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
