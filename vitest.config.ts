import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Real, and light enough to run beside each other: pages without a call, stores, links, workers that carry a few packets, and
 * calls of which nobody asks how quick they are.
 */
const WIRED = [
  '{packages/{call-app,operator-app,cli,control,coordination,delivery},sfu-node,cascade-router,turn}/test/**/*.test.ts',
  'test/{check,process,relayed-call,trust,up}.test.ts',
  'test/networks/{lab,matrix,pairs}.test.ts',
  'packages/client/test/{lost,readme}.test.ts',
  'load-tests/test/{load-run,sim}.test.ts',
];
/** Pure, though not beside the sources. */
const PURE = ['test/{simulation,fuzz,models,specification}/**/*.test.ts'];

/**
 * unit: pure code, models and services on fakes of the outside, side by side. wired: one real part at a time, two files side by
 * side. real: whole calls, with workers and browsers that encode and decode, one file at a time. The last two run on machines
 * that are busy with other things: what fails there is tried once more, and the summary names it. Never the unit tests: a
 * random history that fails once has found something.
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
            '{signaling,sfu-node,cascade-router,turn}/src/**/*.test.ts',
            'tools/**/*.test.ts',
            ...PURE,
          ],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'wired',
          include: WIRED,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: 1,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'real',
          include: ['{packages/*,signaling,load-tests}/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...WIRED, ...PURE],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
