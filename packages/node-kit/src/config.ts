/**
 * Configuration of a service: flags over environment over a TOML file over defaults, all checked by one zod schema.
 * What is unknown, ill-formed or missing refuses to start and says which key it is and how to set it.
 *
 *     listen.port   --listen.port 80   VEILCAST_LISTEN_PORT=80   [listen] port = 80
 */
import { parse as parseToml } from 'smol-toml';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isSecret, unwrapped } from './config-values.ts';

export * from './config-values.ts';

/** Refuses to start. The message is for the person who started it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface ConfigSources {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of every variable; one with it that no key has is refused. */
  readonly envPrefix: string;
  /** @throws when there is no such file */
  readonly readFile?: ((path: string) => string) | undefined;
}

export interface LoadedConfig<T> {
  readonly config: T;
  /** `--print-config` was given: print `text`, and end. */
  readonly print: boolean;
  /** The configuration as JSON, secrets replaced. */
  readonly text: string;
}

interface Leaf {
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  readonly secret: boolean;
}

type Tree = { [key: string]: unknown };

/** @throws ConfigError */
export function loadConfig<S extends z.ZodObject>(schema: S, sources: ConfigSources): LoadedConfig<z.infer<S>> {
  const leaves = leavesOf(schema, []);
  const read = sources.readFile ?? ((path: string): string => readFileSync(path, 'utf8'));
  const flags = readFlags(sources.argv, leaves);
  const tree = flags.file === undefined ? {} : readTomlFile(flags.file, read);
  resolveSecrets(tree, leaves, read);
  applyEnv(tree, sources, leaves, read);
  for (const [leaf, text] of flags.values)
    set(tree, leaf.path, leaf.secret ? secretFrom(text, leaf, read) : coerced(text, leaf.schema));
  const parsed = schema.safeParse(tree);
  if (!parsed.success) throw new ConfigError(explain(parsed.error, leaves, sources.envPrefix));
  return { config: parsed.data, print: flags.print, text: printed(parsed.data, leaves) };
}

function leavesOf(schema: z.ZodObject, above: readonly string[]): Leaf[] {
  return Object.entries(schema.shape).flatMap(([key, member]) => {
    const path = [...above, key];
    const inner = unwrapped(member as z.ZodType);
    if (inner instanceof z.ZodObject) return leavesOf(inner, path);
    return [{ path, schema: inner, secret: isSecret(member as z.ZodType) }];
  });
}

const kebab = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const flagOf = (leaf: Leaf): string => `--${leaf.path.map(kebab).join('.')}${leaf.secret ? '-file' : ''}`;
const envOf = (leaf: Leaf, prefix: string): string =>
  prefix + leaf.path.map(kebab).join('_').replace(/-/g, '_').toUpperCase() + (leaf.secret ? '_FILE' : '');
const keyOf = (leaf: Leaf): string => leaf.path.join('.') + (leaf.secret ? 'File' : '');

interface Flags {
  file: string | undefined;
  print: boolean;
  readonly values: Map<Leaf, string>;
}

function readFlags(argv: readonly string[], leaves: readonly Leaf[]): Flags {
  const flags: Flags = { file: undefined, print: false, values: new Map() };
  const known = new Map(leaves.map((leaf) => [flagOf(leaf), leaf]));
  for (let at = 0; at < argv.length; at += 1) {
    const [flag, inline] = splitOnce(argv[at] ?? '');
    const value = (): string => {
      const text = inline ?? argv[(at += 1)];
      if (text === undefined) throw new ConfigError(`${flag} needs a value`);
      return text;
    };
    const leaf = known.get(flag);
    if (flag === '--print-config' && inline === undefined) flags.print = true;
    else if (flag === '--config') flags.file = value();
    else if (leaf === undefined) throw new ConfigError(`unknown flag ${flag}${closest(flag, [...known.keys()])}`);
    else if (leaf.schema instanceof z.ZodBoolean && !/^(true|false)$/.test(inline ?? argv[at + 1] ?? ''))
      flags.values.set(leaf, 'true');
    else flags.values.set(leaf, value());
  }
  return flags;
}

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function readTomlFile(path: string, read: (path: string) => string): Tree {
  try {
    return parseToml(read(path));
  } catch (cause) {
    throw new ConfigError(`the file given by --config cannot be read as TOML: ${String(cause)}`, { cause });
  }
}

/** In a file a secret is named by its path, under `<key>File`. */
function resolveSecrets(tree: Tree, leaves: readonly Leaf[], read: (path: string) => string): void {
  for (const leaf of leaves) {
    if (!leaf.secret) continue;
    const holder = get(tree, leaf.path.slice(0, -1));
    const key = leaf.path.at(-1) ?? '';
    if (!isTree(holder)) continue;
    if (key in holder)
      throw new ConfigError(`${leaf.path.join('.')}: a secret is not written here; set ${keyOf(leaf)} to its file`);
    const path = holder[`${key}File`];
    delete holder[`${key}File`];
    if (path !== undefined) holder[key] = secretFrom(path, leaf, read);
  }
}

function secretFrom(path: unknown, leaf: Leaf, read: (path: string) => string): string {
  try {
    if (typeof path === 'string') return read(path).trim();
  } catch (cause) {
    throw new ConfigError(`${keyOf(leaf)}: the file cannot be read`, { cause });
  }
  throw new ConfigError(`${keyOf(leaf)}: expected the path of a file`);
}

function applyEnv(tree: Tree, sources: ConfigSources, leaves: readonly Leaf[], read: (path: string) => string): void {
  const known = new Map(leaves.map((leaf) => [envOf(leaf, sources.envPrefix), leaf]));
  for (const [name, text] of Object.entries(sources.env)) {
    if (!name.startsWith(sources.envPrefix) || text === undefined) continue;
    const leaf = known.get(name);
    if (leaf === undefined) throw new ConfigError(`unknown variable ${name}${closest(name, [...known.keys()])}`);
    set(tree, leaf.path, leaf.secret ? secretFrom(text, leaf, read) : coerced(text, leaf.schema));
  }
}

/** What a flag or variable means, by the kind of its key; the schema judges it afterwards. */
function coerced(text: string, schema: z.ZodType): unknown {
  if (schema instanceof z.ZodNumber) return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
  if (schema instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text;
  if (schema instanceof z.ZodArray) {
    const element = unwrapped(schema.element as z.ZodType);
    return text === '' ? [] : text.split(',').map((part) => coerced(part.trim(), element));
  }
  return text;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function get(tree: Tree, path: readonly string[]): unknown {
  return path.reduce<unknown>((holder, key) => (isTree(holder) ? holder[key] : undefined), tree);
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  let holder = tree;
  for (const key of path.slice(0, -1)) {
    const inner = holder[key];
    holder = isTree(inner) ? inner : (holder[key] = {});
  }
  holder[path.at(-1) ?? ''] = value;
}

function printed(config: Tree, leaves: readonly Leaf[]): string {
  const copy = structuredClone(config);
  for (const leaf of leaves) if (leaf.secret && get(copy, leaf.path) !== undefined) set(copy, leaf.path, '[secret]');
  return `${JSON.stringify(copy, null, 2)}\n`;
}

function explain(error: z.ZodError, leaves: readonly Leaf[], envPrefix: string): string {
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => {
        const path = [...issue.path.map(String), key].join('.');
        return `${path}: unknown key${closest(path, leaves.map(keyOf))}`;
      });
    const path = issue.path.map(String);
    const leaf = leaves.find((one) => one.path.every((key, at) => path[at] === key));
    const how =
      leaf === undefined ? '' : ` (set it by ${flagOf(leaf)}, ${envOf(leaf, envPrefix)} or ${keyOf(leaf)} in the file)`;
    return [`${path.join('.')}: ${issue.message}${how}`];
  });
  return lines.join('\n');
}

/** The name that was probably meant. */
function closest(name: string, names: readonly string[]): string {
  let best: string | undefined;
  let least = 4;
  for (const other of names) {
    const steps = distance(name, other);
    if (steps < least) [least, best] = [steps, other];
  }
  return best === undefined ? '' : `; did you mean ${best}?`;
}

/** Levenshtein's, of short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
