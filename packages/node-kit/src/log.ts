/**
 * Loggers that keep secrets and people out of the log: fields are censored by their names, however deep,
 * and the whole line loses network addresses, which Node writes into its errors. Ids go through `loggable()` at the call.
 */
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Last words of field names that are never written: `joinToken`, `leaf_key`, `iceCandidates`. */
const CENSORED = new Set([
  'token',
  'jwt',
  'name',
  'nickname',
  'hostname',
  'address',
  'addresse',
  'ip',
  'credential',
  'key',
  'secret',
  'password',
  'authorization',
  'cookie',
  'sdp',
  'candidate',
]);

const CENSOR = '[redacted]';
/** Deeper is not written: a log line is not a dump. */
const DEPTH_MAX = 6;
const ITEMS_MAX = 100;

const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const IPV6 = /(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi;

function isCensored(field: string): boolean {
  const last = field
    .split(/(?<=[a-z0-9])(?=[A-Z])|[_.-]/)
    .at(-1)
    ?.toLowerCase();
  return last !== undefined && (CENSORED.has(last) || CENSORED.has(last.replace(/s$/, '')));
}

function censored(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return plainError(value, depth);
  if (depth >= DEPTH_MAX || ArrayBuffer.isView(value)) return '[…]';
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => censored(item, depth + 1));
  const plain: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value).slice(0, ITEMS_MAX))
    plain[field] = isCensored(field) ? CENSOR : censored(inner, depth + 1);
  return plain;
}

function plainError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = (error as { code?: unknown }).code;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined || depth >= DEPTH_MAX ? {} : { cause: censored(error.cause, depth + 1) }),
  };
}

function withoutAddresses(text: string): string {
  return text.replace(IPV4, '[ip]').replace(IPV6, '[ip]');
}

export interface LogOptions {
  readonly service: string;
  readonly level?: pino.LevelWithSilent | undefined;
  /** Standard output when not given. */
  readonly destination?: DestinationStream | undefined;
}

/** Not pino's own: it writes on and on to a pipe that nobody reads any more, and its process never ends. */
function standardOutput(): DestinationStream {
  if (!process.stdout.listeners('error').includes(unread)) process.stdout.on('error', unread);
  return { write: (line) => void process.stdout.write(line) };
}

function unread(): void {
  // Whoever read the log is gone; the service is not there for it.
}

/** A logger of one service. Make children with ids bound: `log.child({ roomId: loggable(id) })`. */
export function createLogger(options: LogOptions): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level ?? 'info',
    base: { service: options.service },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Errors too are written by `censored`, not by pino's own serializer.
    serializers: { err: (error: unknown) => error },
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => censored(fields) as Record<string, unknown>,
    },
    hooks: { streamWrite: withoutAddresses },
  };
  const log = pino(settings, options.destination ?? standardOutput());
  // pino does not format the bindings of children; these inherit this `child` in turn.
  const child = Reflect.get(log, 'child') as unknown as (
    this: Logger,
    bindings: pino.Bindings,
    settings?: object,
  ) => Logger;
  log.child = function (this: Logger, bindings: pino.Bindings, settings?: object) {
    return child.call(this, censored(bindings) as pino.Bindings, settings);
  } as unknown as Logger['child'];
  return log;
}
