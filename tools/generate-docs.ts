/** Writes docs/api from the schemas: `node tools/generate-docs.ts`; with `--check` it only compares. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { asyncApi, errorTable } from '@veilcast/protocol/asyncapi';

const folder = fileURLToPath(new URL('../docs/api/', import.meta.url));
const options = await resolveConfig(fileURLToPath(import.meta.url));
const wanted = {
  'asyncapi.json': await format(JSON.stringify(asyncApi()), { ...options, parser: 'json' }),
  'errors.md': await format(errorTable(), { ...options, parser: 'markdown' }),
};

await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(wanted)) {
  if (!process.argv.includes('--check')) await writeFile(folder + name, text);
  else if ((await readFile(folder + name, 'utf8').catch(() => '')) !== text) {
    process.stdout.write(`docs/api/${name} is not what the schemas say; run: npm run docs\n`);
    process.exitCode = 1;
  }
}
