/** A proxy that lets pages through and WebSockets not, between a client and real signaling. */
import { Dialer } from '@veilcast/client/dialer';
import { signatures } from '@veilcast/e2ee/pq';
import { systemClock } from '@veilcast/node-kit';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Fixture } from './testing/fixture.ts';

let fixture: Fixture;
let proxy: Server | undefined;

afterEach(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  await fixture.close();
});

/** Listens on a free port; its answer to an upgrade is that of a filter. */
async function filter(target: string): Promise<string> {
  proxy = createServer((asked, answer) => {
    const { method, headers, url } = asked;
    asked.pipe(
      request(new URL(url ?? '/', target), { method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      }).on('error', () => answer.destroy()),
    );
  });
  proxy.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n'));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

const dial = (url: string) => {
  const dialer = new Dialer({ url, pin: undefined, clock: systemClock });
  return dialer.dial(signatures.generate());
};

test('says that WebSockets are blocked where the site itself answers', async () => {
  fixture = await Fixture.open();
  await expect(dial(await filter(fixture.main.url))).rejects.toMatchObject({ code: 'WEBSOCKET_BLOCKED' });
  const wire = await dial(fixture.main.url);
  wire.close();
});

test('says something else where nothing answers', async () => {
  fixture = await Fixture.open();
  await expect(dial('http://127.0.0.1:9')).rejects.toMatchObject({ code: 'DISCONNECTED' });
});
