/** A part of a bench in a process of its own: asked by name, answers once, ends with its parent. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
}
interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** What a child answers to, by name. */
export type Answers = { readonly [name: string]: (args: never) => unknown };
type ArgsOf<F> = F extends (args: infer A) => unknown ? A : never;
type ResultOf<F> = F extends (args: never) => infer R ? Awaited<R> : never;

export interface Child<A extends Answers> {
  readonly pid: number;
  ask<N extends keyof A & string>(name: N, args: ArgsOf<A[N]>): Promise<ResultOf<A[N]>>;
  close(): Promise<void>;
}

/** Starts the module of this name beside this one. `environment` is added to this process's. */
export function startChild<A extends Answers>(
  file: string,
  execArgv: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Child<A> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, {
    execArgv: [...execArgv],
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const asked = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let id = 0;
  child.on('message', (answer: Answer) => {
    const waiting = asked.get(answer.id);
    asked.delete(answer.id);
    if (answer.error === undefined) waiting?.resolve(answer.result as never);
    else waiting?.reject(new Error(answer.error));
  });
  const fail = (): void => {
    for (const { reject } of asked.values()) reject(new Error(`${file} ended`));
    asked.clear();
  };
  child.on('exit', fail).on('error', fail);
  return {
    pid: child.pid ?? 0,
    ask: (name, args) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(new Error(`${file} is not running`));
        asked.set(++id, { resolve, reject });
        child.send({ id, name, args } satisfies Question);
      }),
    close: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(timer);
}

/** In the child: answers until the parent lets go, then gives back what `close` closes and ends. */
export function answer(answers: Answers, close: () => unknown = () => undefined): void {
  const reply = async ({ id, name, args }: Question): Promise<void> => {
    let body: Answer;
    try {
      body = { id, result: await answers[name]?.(args as never) };
    } catch (error) {
      body = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(body);
  };
  process.on('message', (question: Question) => void reply(question));
  process.on('disconnect', () => {
    void Promise.resolve(close()).finally(() => process.exit(0));
  });
}
