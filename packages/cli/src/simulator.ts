/** `veilcast sim` and `veilcast size`: their arguments. The simulator itself is a program of load-tests, which depends on this package. */
import { Command, InvalidArgumentError } from 'commander';
import { ClusterError } from '@veilcast/protocol';

const FOLDER = new URL('../../../load-tests/sim/', import.meta.url);
const VIEWERS_MAX = 5_000_000;

interface SimOptions {
  readonly viewers?: number;
  readonly exact: boolean;
  readonly seed: number;
  readonly report?: string;
  readonly keep: boolean;
}

/** What the two programs give (load-tests/sim/simulate.ts, size.ts). */
interface Programs {
  readonly 'simulate.ts': { simulate(options: SimOptions & { name: string | undefined }): Promise<void> };
  readonly 'size.ts': { size(options: object): void };
}

/** @throws ClusterError NOT_FOUND where the programs were not installed, as in an image */
async function program<F extends keyof Programs>(file: F): Promise<Programs[F]> {
  try {
    return (await import(new URL(file, FOLDER).href)) as Programs[F];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new ClusterError('NOT_FOUND', 'The simulator is not in this installation: run it from a checkout.', {
      cause,
    });
  }
}

function whole(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw new InvalidArgumentError(`A whole number from 1 to ${max.toLocaleString('en')}.`);
    return value;
  };
}

export function simCommand(): Command {
  return new Command('sim')
    .description('simulate an audience of up to millions on the real planner, with a report')
    .argument('[scenario]', 'which one; left out: which there are')
    .option('--viewers <n>', 'another number of viewers, in the same shape', whole(VIEWERS_MAX))
    .option('--exact', 'every viewer by itself; for 100,000 and fewer', false)
    .option('--seed <n>', 'of one seed, one result', whole(2 ** 31), 1)
    .option('--report <file>', 'where the HTML goes, the JSON beside it; .veilcast/sim/ when not given')
    .option('--keep', 'of the scenario here: show its errors in all later reports', false)
    .action(async (name: string | undefined, options: SimOptions) => {
      await (await program('simulate.ts')).simulate({ ...options, name });
    });
}

export function sizeCommand(): Command {
  return new Command('size')
    .description('how large a cluster must be: nodes, cores, egress, cost, and what that rests on')
    .requiredOption('--viewers <n>', 'who watch at a time')
    .requiredOption('--bitrate <bits>', 'of the video that each gets: 1.5M, 800k')
    .requiredOption('--regions <names>', 'where they are, evenly: eu,us')
    .option('--cores <n>', 'of a node')
    .option('--node-hour <price>', 'what a node costs in an hour')
    .option('--egress-gb <price>', 'what a GB out costs')
    .option('--json', 'for programs', false)
    .action(async (options: object) => (await program('size.ts')).size(options));
}
