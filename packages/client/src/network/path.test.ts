import { describe, expect, it } from 'vitest';
import { carriedBy, pathOf } from './path.ts';

/** As Chromium gives them, and as Firefox does with the pair that marks itself. */
function stats(local: object, isFirefox = false): Map<string, unknown> {
  const pair = {
    type: 'candidate-pair',
    localCandidateId: 'L',
    currentRoundTripTime: 0.0421,
    bytesSent: 10,
    bytesReceived: 20,
  };
  const other = { ...pair, localCandidateId: 'other', bytesSent: 1 };
  const entries: [string, unknown][] = [
    ['O', other],
    ['P', isFirefox ? { ...pair, selected: true } : pair],
    ['L', { type: 'local-candidate', ...local }],
    ['other', { type: 'local-candidate', candidateType: 'host', protocol: 'udp' }],
  ];
  return new Map(isFirefox ? entries : [...entries, ['T', { type: 'transport', selectedCandidatePairId: 'P' }]]);
}

describe('the path of media', () => {
  it.each([
    ['udp', { candidateType: 'srflx', protocol: 'udp' }],
    ['udp', { candidateType: 'prflx', protocol: 'udp' }],
    ['tcp', { candidateType: 'host', protocol: 'tcp' }],
    ['relay-udp', { candidateType: 'relay', protocol: 'udp', relayProtocol: 'udp' }],
    ['relay-tcp', { candidateType: 'relay', protocol: 'udp', relayProtocol: 'tcp' }],
    ['relay-tls', { candidateType: 'relay', protocol: 'udp', relayProtocol: 'tls' }],
  ] as const)('is %s for %o', (kind, local) => {
    for (const isFirefox of [false, true]) expect(pathOf(stats(local, isFirefox))).toEqual({ kind, rttMs: 42 });
  });

  it('names the TURN server where the browser does, and no other server', () => {
    const url = 'turn:turn.example.org:443?transport=tcp';
    const relay = { candidateType: 'relay', protocol: 'udp', relayProtocol: 'tcp', url };
    expect(pathOf(stats(relay))).toMatchObject({ server: url });
    const direct = { candidateType: 'srflx', protocol: 'udp', url: 'stun:turn.example.org:3478' };
    expect(pathOf(stats(direct))).not.toHaveProperty('server');
  });

  it('is unknown before there is a pair, and where the browser says nothing that we know', () => {
    expect(pathOf(new Map())).toBeUndefined();
    expect(pathOf(new Map([['T', { type: 'transport' }]]))).toBeUndefined();
    expect(pathOf(stats({ candidateType: 'relay', protocol: 'udp' }))).toBeUndefined();
  });

  it('carries what the chosen pair carries', () => {
    expect(carriedBy(stats({}))).toEqual({ sent: 10, received: 20 });
    expect(carriedBy(new Map())).toBeUndefined();
  });
});
