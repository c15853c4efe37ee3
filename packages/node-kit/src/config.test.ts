import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, duration, loadConfig, secret, size } from './config.ts';

const schema = z.strictObject({
  region: z.string().default('eu'),
  listen: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: z.number().int().min(0).max(65_535).default(7800) })
    .prefault({}),
  linkTtl: duration().prefault('5s'),
  maxFrame: size().prefault('2MiB'),
  draining: z.boolean().default(false),
  announced: z.array(z.string()).default([]),
  ports: z.array(z.number()).optional(),
  auth: z.strictObject({ signingKey: secret().optional() }).prefault({}),
});

const files: Record<string, string> = {
  'a.toml': 'region = "us"\nlinkTtl = "1.5s"\n[listen]\nport = 9000\n[auth]\nsigningKeyFile = "key"\n',
  key: 'hush\n',
  'other-key': 'hush-2',
};

function load(argv: string[] = [], env: Record<string, string> = {}) {
  return loadConfig(schema, {
    argv,
    env: { PATH: '/bin', ...env },
    envPrefix: 'VEILCAST_',
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('no such file');
      return text;
    },
  });
}

test('needs nothing at all', () => {
  expect(load().config).toEqual({
    region: 'eu',
    listen: { host: '127.0.0.1', port: 7800 },
    linkTtl: 5_000,
    maxFrame: 2 * 1024 ** 2,
    draining: false,
    announced: [],
    auth: {},
  });
});

test('flags over environment over file over defaults', () => {
  const file = ['--config', 'a.toml'];
  expect(load(file).config).toMatchObject({ region: 'us', linkTtl: 1_500, listen: { host: '127.0.0.1', port: 9000 } });
  const env = { VEILCAST_REGION: 'asia', VEILCAST_LISTEN_PORT: '9001' };
  expect(load(file, env).config).toMatchObject({ region: 'asia', linkTtl: 1_500, listen: { port: 9001 } });
  const flags = [...file, '--listen.port=9002', '--link-ttl', '10ms'];
  expect(load(flags, env).config).toMatchObject({ region: 'asia', linkTtl: 10, listen: { port: 9002 } });
});

test('texts become what their keys are', () => {
  expect(load(['--draining', '--announced', 'a, b', '--ports', '1,2']).config).toMatchObject({
    draining: true,
    announced: ['a', 'b'],
    ports: [1, 2],
  });
  expect(load(['--draining', 'false', '--region', 'x'], { VEILCAST_ANNOUNCED: '' }).config).toMatchObject({
    draining: false,
    announced: [],
    region: 'x',
  });
});

test('secrets come from files and are never printed', () => {
  expect(load(['--config', 'a.toml']).config.auth.signingKey).toBe('hush');
  const loaded = load(['--print-config', '--config', 'a.toml'], { VEILCAST_AUTH_SIGNING_KEY_FILE: 'other-key' });
  expect(loaded.config.auth.signingKey).toBe('hush-2');
  expect(load(['--auth.signing-key-file', 'key']).config.auth.signingKey).toBe('hush');
  expect(loaded.print).toBe(true);
  expect(loaded.text).toContain('[secret]');
  expect(loaded.text).not.toContain('hush');
  expect(load().text).not.toContain('[secret]');
});

test.each([
  [['--listen.prot', '1'], {}, /--listen\.prot.*did you mean --listen\.port/],
  [[], { VEILCAST_LISTEN_PROT: '1' }, /VEILCAST_LISTEN_PROT.*VEILCAST_LISTEN_PORT/],
  [['--config', 'unknown.toml'], {}, /listen\.prot: unknown key; did you mean listen\.port/],
  [['--config', 'secret.toml'], {}, /auth\.signingKey: .*auth\.signingKeyFile/],
  [['--config', 'none.toml'], {}, /--config/],
  [['--listen.port', 'many'], {}, /listen\.port: .*--listen\.port, VEILCAST_LISTEN_PORT/],
  [['--listen.port', '70000'], {}, /listen\.port/],
  [['--link-ttl', '5'], {}, /linkTtl: .*500ms/],
  [['--max-frame', '2MB'], {}, /maxFrame: .*2MiB/],
  [['--region'], {}, /--region needs a value/],
  [[], { VEILCAST_AUTH_SIGNING_KEY: 'hush' }, /VEILCAST_AUTH_SIGNING_KEY_FILE|unknown variable/],
  [[], { VEILCAST_AUTH_SIGNING_KEY_FILE: 'none' }, /auth\.signingKeyFile: the file cannot be read/],
])('%j %j refuses to start and says why', (argv, env, words) => {
  files['unknown.toml'] = '[listen]\nprot = 1\n';
  files['secret.toml'] = '[auth]\nsigningKey = "hush"\n';
  let thrown: unknown;
  try {
    load(argv, env);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConfigError);
  expect((thrown as Error).message).toMatch(words);
  expect((thrown as Error).message).not.toContain('hush');
});

test('durations and sizes are exact whole numbers, or refused', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.constantFrom('ms', 's', 'm', 'h'), (amount, unit) => {
      const ms = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 0;
      expect(duration().parse(`${amount}${unit}`)).toBe(amount * ms);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = size().safeParse(text);
      if (parsed.success) expect(Number.isSafeInteger(parsed.data)).toBe(true);
      else expect(text).not.toMatch(/^\d+(B|KiB)$/);
    }),
  );
  expect(size().parse('1.5KiB')).toBe(1536);
  expect(size().safeParse('9999999999999GiB').success).toBe(false);
});

test('whatever is given, the outcome is a configuration or a ConfigError', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('--region', '--listen.port', '--config', '--draining', 'a.toml', '='),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        expect(schema.safeParse(load(argv).config)).toBeDefined();
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
  );
});
