/**
 * The frozen run of `veilcast/1`: a handshake, records both ways with a step of keys, a fresh round, a resumed handshake and
 * broadcasts, all from named seeds. `vectors/channel.json` holds what it gave when the protocol was frozen.
 */
import { webCipher } from './aead.ts';
import { BroadcastSealer } from './broadcast.ts';
import { hex, utf8 } from './bytes.ts';
import type { ClientChannel, ServerChannel } from './channel.ts';
import { CONTENT, FRESH_AFTER_MS, UPDATE_AFTER_MS } from './constants.ts';
import type { TrafficSecrets } from './schedule.ts';
import { CLAIMS, NOW, openWorld, seedOf, shake, channels, type Session } from './session.fixture.ts';

const NAME = 'frozen';

function shown(secrets: TrafficSecrets): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, bytes]) => [name, hex(bytes as Uint8Array)]));
}

function messages({ m1, m2, m3 }: Session): Record<string, string> {
  return { m1: hex(m1), m2: hex(m2), m3: hex(m3) };
}

export interface SealedRecord {
  readonly from: 'client' | 'server';
  /** ms after the handshake. */
  readonly at: number;
  readonly kind: number;
  readonly content: string;
  readonly records: string[];
}

export async function makeVector() {
  const world = await openWorld(NAME);
  const { clientPorts, serverPorts, manifest } = world;
  const session = await shake(world);
  const secrets = shown(session.secrets);
  const draws = { client: clientPorts.drawn.splice(0).map(hex), server: serverPorts.drawn.splice(0).map(hex) };
  const { client, server } = channels(session);
  const records: SealedRecord[] = [];
  const say = async (from: 'client' | 'server', at: number, kind: number, content: Uint8Array): Promise<void> => {
    const end: ClientChannel<Promise<Uint8Array>> | ServerChannel<Promise<Uint8Array>> =
      from === 'client' ? client : server;
    const sealed = await Promise.all(end.seal(kind, content, NOW + at));
    for (const record of sealed)
      (from === 'client' ? server : client).take(await (from === 'client' ? server : client).begin(record));
    records.push({ from, at, kind, content: hex(content), records: sealed.map(hex) });
  };
  await say('server', 0, CONTENT.welcome, utf8('{"pskMs":1200000}'));
  await say('client', 0, CONTENT.message, utf8('first'));
  await say('client', 1, CONTENT.message, utf8('second'));
  await say('server', 1, CONTENT.message, utf8(''));
  await say('client', UPDATE_AFTER_MS, CONTENT.message, utf8('under stepped keys'));
  await say('server', UPDATE_AFTER_MS, CONTENT.message, new Uint8Array(300).fill(0x5a));

  const at = FRESH_AFTER_MS;
  const offers = await Promise.all((await client.offerFresh(clientPorts, NOW + at))());
  let offer = new Uint8Array();
  for (const record of offers) offer = server.take(await server.begin(record)).bytes.slice();
  const answers = await Promise.all((await server.answerFresh(serverPorts, offer, NOW + at))());
  let done: Uint8Array[] = [];
  for (const record of answers) {
    const content = client.take(await client.begin(record));
    if (content.kind === CONTENT.freshAnswer)
      done = await Promise.all((await client.takeFresh(content.bytes, NOW + at))());
  }
  for (const record of done) server.take(await server.begin(record));
  const fresh = {
    at,
    draws: { client: clientPorts.drawn.splice(0).map(hex), server: serverPorts.drawn.splice(0).map(hex) },
    offer: offers.map(hex),
    answer: answers.map(hex),
    done: done.map(hex),
    pskId: hex(client.psk.id),
    psk: hex(client.psk.key),
  };
  await say('client', at, CONTENT.message, utf8('after the round'));
  await say('server', at, CONTENT.message, utf8('after the round'));

  const psk = { id: client.psk.id.slice(), key: client.psk.key.slice() };
  const devicePublicKey = world.device.publicKey;
  world.resumptions.put(psk.id, { key: server.psk.key.slice(), devicePublicKey }, NOW + 1, NOW);
  const again = await shake(world, psk);
  const resumed = {
    draws: { client: clientPorts.drawn.splice(0).map(hex), server: serverPorts.drawn.splice(0).map(hex) },
    ...messages(again),
    secrets: shown(again.secrets),
  };

  const broadcaster = new BroadcastSealer(webCipher, (length) => seedOf(`${NAME} broadcast`, length));
  const broadcast = {
    key: hex(broadcaster.keyMessage()),
    records: [hex(await broadcaster.seal(utf8('to all'))), hex(await broadcaster.seal(utf8('again')))],
  };
  return {
    about: 'veilcast/1, frozen. Bytes in hexadecimal, times in ms. docs/adr/0013-sealed-channel.md',
    seeds: {
      root: hex(seedOf(`${NAME} root`)),
      kem: hex(seedOf(`${NAME} kem`)),
      device: hex(seedOf(`${NAME} device`)),
    },
    now: NOW,
    manifest: {
      claims: CLAIMS,
      document: hex(world.document),
      pin: hex(world.pin),
      kemPublicKey: hex(manifest.kemPublicKey),
      devicePublicKey: hex(devicePublicKey),
    },
    /** In the order of use. Client: X-Wing seed, encapsulation, nonce. Server: encapsulation, nonce. */
    handshake: { draws, ...messages(session), secrets },
    records,
    fresh,
    resumed,
    broadcast,
  };
}
