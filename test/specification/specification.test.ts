/** The specification says what the code does: its constants are the code's, its refusals have a code and a test, its links lead somewhere. */
import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'docs/e2ee');
const pages = (await readdir(folder)).filter((name) => name.endsWith('.md'));
const texts = new Map(
  await Promise.all(pages.map(async (page) => [page, await readFile(join(folder, page), 'utf8')] as const)),
);

/** Cells of the rows of a page's tables. */
function rowsOf(page: string): string[][] {
  return [...(texts.get(page) ?? '').matchAll(/^\|(.+)\|$/gm)].map(([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  );
}

interface Constant {
  readonly page: string;
  readonly name: string;
  readonly value: string;
  readonly file: string;
}

const constants: readonly Constant[] = pages.flatMap((page) =>
  rowsOf(page).flatMap(([name = '', value = '', file = '']) =>
    /^`.+`$/.test(name) && /^[a-z][\w./-]+\.ts$/.test(file) ? [{ page, name: name.slice(1, -1), value, file }] : [],
  ),
);

const sources = new Map<string, Promise<string>>();
function sourceOf(file: string): Promise<string> {
  const known = sources.get(file) ?? readFile(join(root, file), 'utf8');
  sources.set(file, known);
  return known;
}

/** The number that `const name` is in this source: literals, sums and products of them, and of other constants of it. */
function numberIn(source: string, name: string): number {
  const written = new RegExp(`const ${name} = ([^;]+);`).exec(source)?.[1];
  if (written === undefined) return Number.NaN;
  const plain = written
    .replaceAll(/(\d)_(?=\d)/g, '$1')
    .replaceAll(/(\d)n\b/g, '$1')
    .replaceAll(/\b[A-Z][A-Z0-9_]*\b/g, (other) => String(numberIn(source, other)));
  const factors = plain.split(' + ').map((sum) => sum.split(' * ').map((factor) => powerOf(factor.trim())));
  return factors.reduce((sum, each) => sum + each.reduce((product, factor) => product * factor, 1), 0);
}

function powerOf(text: string): number {
  const [base = '', exponent] = text.split(' ** ');
  return exponent === undefined ? Number(base) : Number(base) ** Number(exponent);
}

describe('constants', () => {
  it('are many', () => expect(constants.length).toBeGreaterThan(70));

  it.each(constants)('$page: $name', async ({ name, value, file }) => {
    const source = await sourceOf(file);
    if (!name.startsWith("'")) return expect(numberIn(source, name), file).toBe(Number(value));
    const label = name.slice(1, -1);
    // Labels under a common prefix are written with the prefix as a constant in some places.
    return expect(source.includes(label), `${file} has ${name}`).toBe(true);
  });

  it('would be found wrong', () => {
    expect(numberIn('const A_MS = 3 * 60_000;\nexport const B = A_MS + 2 ** 4;', 'B')).toBe(180_016);
    expect(numberIn('const A = 1;', 'B')).toBeNaN();
  });
});

const refusals = rowsOf('refusals.md').filter(([, code = '']) => code.startsWith('`'));

describe('refusals', () => {
  /** What the issue asks for, each in some row. */
  it.each([
    'wrong tag',
    'wrong sender',
    'replay',
    'stripped',
    'swapped',
    'altered clear',
    'downgrade of version or suite',
    'stale manifest',
    'revoked device',
    'ghost without a bundle',
  ])('has a row for: %s', (what) => {
    expect(refusals.some(([row = '']) => row.includes(what))).toBe(true);
  });

  it.each(
    refusals.map(([what = '', code = '', test = '', shown = '']) => ({ what, code: code.slice(1, -1), test, shown })),
  )('$what: $code', async ({ code, test, shown }) => {
    const [file = '', title = ''] = test.split(' › ');
    expect((await sourceOf(file)).replaceAll("\\'", "'"), file).toContain(title);
    expect(shown).not.toBe('');
    const declared = await Promise.all(
      [
        'packages/protocol/src/errors.ts',
        'packages/e2ee/src/group.ts',
        'packages/e2ee/src/identity/check.ts',
        'packages/sframe/src/model.ts',
        'packages/client/src/workers/messages.ts',
      ].map(sourceOf),
    );
    expect(declared.some((source) => new RegExp(`'${code}'|^  ${code}:`, 'm').test(source))).toBe(true);
  });
});

describe('what is shown', () => {
  const shown = rowsOf('proof.md').filter(([, test = '']) => test.includes(' › '));

  it('is much', () => expect(shown.length).toBeGreaterThan(15));

  it.each(shown.map(([what = '', test = '']) => ({ what, test })))('$what', async ({ test }) => {
    const [file = '', title = ''] = test.split(' › ');
    expect((await sourceOf(file)).replaceAll("\\'", "'"), file).toContain(title);
  });
});

describe('links', () => {
  const links = pages.flatMap((page) =>
    [...(texts.get(page) ?? '').matchAll(/\]\(([^)#]+?)(#[^)]*)?\)/g)].map(([, to = '']) => ({ page, to })),
  );
  it.each(links.filter(({ to }) => !to.startsWith('http')))('$page → $to', async ({ page, to }) => {
    await expect(access(join(folder, dirname(page), to))).resolves.toBeUndefined();
  });
});
