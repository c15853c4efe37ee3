import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TurnConfig, type TurnConfigInput } from './config.ts';
import { coturnConfig, iceUrls } from './coturn-config.ts';
import { DENIED, publicRange } from './peer-ranges.ts';

const hex = (bytes: readonly number[]): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/(.{4})/, '$1:');
const least: TurnConfigInput = { turnId: 'a', region: 'eu', listen: ['192.0.2.1'], secretFile: '/s' };
const written = (extra: Partial<TurnConfigInput> = {}): string[] =>
  coturnConfig(TurnConfig.parse({ ...least, ...extra }), { database: '/d', pidFile: '/p' }).split('\n');

describe('the configuration of coturn', () => {
  it('wants credentials, has no command line and no administration page, and relays to nothing private', () => {
    const lines = written();
    expect(lines).toEqual(expect.arrayContaining(['use-auth-secret', 'no-cli', 'no-tcp-relay', 'no-multicast-peers']));
    expect(
      lines.filter((line) => /^(web-admin|cli-|no-auth$|allow-loopback|server-relay|mobility|oauth|user=)/.test(line)),
    ).toEqual([]);
    for (const [from, to] of DENIED) expect(lines).toContain(`denied-peer-ip=${from}-${to}`);
    expect(lines.filter((line) => line.startsWith('allowed-peer-ip'))).toEqual([]);
  });

  it('allows the addresses of media and nothing beside them', () => {
    const lines = written({ peers: { media: ['10.0.0.7'], public: false } });
    expect(lines.filter((line) => /^(allowed|denied)-peer/.test(line))).toEqual([
      'denied-peer-ip=0.0.0.0-255.255.255.255',
      'denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'allowed-peer-ip=10.0.0.7',
    ]);
    expect(written({ peers: { media: ['127.0.0.1'] } })).toContain('allow-loopback-peers');
  });

  it('listens where it is told, by both families, and on the port that is always open too', () => {
    const lines = written({ listen: ['192.0.2.1', '2001:db8::1'], ports: { web: 443 } });
    expect(lines).toEqual(
      expect.arrayContaining([
        'listening-ip=192.0.2.1',
        'relay-ip=2001:db8::1',
        'aux-server=192.0.2.1:443',
        'aux-server=[2001:db8::1]:443',
        'listening-port=3478',
        'tls-listening-port=5349',
      ]),
    );
    expect(written({ external: '198.51.100.1' })).toContain('external-ip=198.51.100.1/192.0.2.1');
  });

  it('is one line a setting, whatever is in the values', () => {
    const path = fc.string({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(path, path, fc.string(), (certFile, keyFile, turnId) => {
        const config = TurnConfig.safeParse({ ...least, turnId, tls: { certFile, keyFile } });
        if (!config.success) return;
        const lines = coturnConfig(config.data, { database: '/d', pidFile: '/p' }).split('\n');
        expect(lines).toHaveLength(written({ tls: { certFile: '/c', keyFile: '/k' } }).length);
      }),
    );
  });

  it.each([
    ['an unknown key', { relay: true }],
    ['no address', { listen: [] }],
    ['an address that is none', { listen: ['eu.example'] }],
    ['a NAT before two addresses', { listen: ['192.0.2.1', '192.0.2.2'], external: '198.51.100.1' }],
    ['a range upside down', { ports: { relayMin: 2, relayMax: 1 } }],
    ['two settings in one', { tls: { certFile: '/c\nno-auth', keyFile: '/k' } }],
    ['media from everywhere', { peers: { media: ['0.0.0.0'] } }],
  ])('refuses %s', (_what, extra) => {
    expect(TurnConfig.safeParse({ ...least, ...extra }).success).toBe(false);
  });
});

it('clients are told STUN, then UDP, TCP and TLS, by the announced name', () => {
  const tls = { certFile: '/c', keyFile: '/k' };
  const config = TurnConfig.parse({ ...least, announced: 'turn.example.org', tls, ports: { web: 443 } });
  expect(iceUrls(config)).toEqual([
    'stun:turn.example.org:3478',
    'turn:turn.example.org:3478?transport=udp',
    'turn:turn.example.org:443?transport=tcp',
    'turns:turn.example.org:443?transport=tcp',
  ]);
  expect(iceUrls(TurnConfig.parse({ ...least, listen: ['2001:db8::1'] }))[0]).toBe('stun:[2001:db8::1]:3478');
});

describe('addresses', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  it('of private networks are not public, in IPv4 and in every IPv6 form that carries it', () => {
    const inside = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127), byte, byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
    );
    fc.assert(
      fc.property(inside, (bytes) => {
        const forms = [
          bytes.join('.'),
          `::ffff:${hex(bytes)}`,
          `::${hex(bytes)}`,
          `64:ff9b::${hex(bytes)}`,
          `2002:${hex(bytes)}::1`,
        ];
        expect(forms.filter(publicRange)).toEqual([]);
      }),
    );
  });

  it('of the internet are', () => {
    const addresses = ['1.1.1.1', '8.8.8.8', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2606:4700::1', '2a00::1'];
    expect(addresses.filter((address) => !publicRange(address))).toEqual([]);
  });
});
