/**
 * Janus as a peer of the forwarding bench: its streaming plugin takes the same packets on a port, and sends them to the same viewers. As Debian
 * ships it, with one event loop, which is its best on one core.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@veilcast/node-kit';
import { z } from 'zod';

const READY_MS = 10_000;
const ANSWER_MS = 20_000;
const LIBRARIES = '/usr/lib/x86_64-linux-gnu/janus';
const MOUNTPOINT = 1;

const Answer = z.object({
  janus: z.string(),
  sender: z.number().optional(),
  data: z.object({ id: z.number() }).optional(),
  jsep: z.object({ type: z.string(), sdp: z.string() }).optional(),
  plugindata: z.object({ data: z.looseObject({ error: z.string().optional() }) }).optional(),
  error: z.object({ reason: z.string() }).optional(),
});
type Answer = z.infer<typeof Answer>;

export interface Janus {
  readonly pid: number;
  /** Where the stream is to be sent. */
  readonly port: number;
  /** The network interface that its candidates are of: it has none on loopback. */
  readonly interfaceName: string;
  /** Opens a viewer; resolves when its media may flow. @param answer gives an SDP answer to an offer */
  watch(answer: (offer: string) => Promise<string>): Promise<void>;
  close(): Promise<void>;
}

/** Janus' own words: a transaction each, and events of a session by asking for them. */
class Session {
  readonly #url: string;
  #last = 0;

  constructor(url: string) {
    this.#url = url;
  }

  async ask(path: string, body: object): Promise<Answer> {
    const answer = await fetch(`${this.#url}${path}`, {
      method: 'POST',
      body: JSON.stringify({ ...body, transaction: String(++this.#last) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return checked(Answer.parse(await answer.json()));
  }

  /** The next event of this handle that pleases; others are passed over. */
  async event(path: string, handle: number, pleases: (event: Answer) => boolean): Promise<Answer> {
    for (const deadline = performance.now() + ANSWER_MS; performance.now() < deadline;) {
      const answer = await fetch(`${this.#url}${path}?maxev=1`, { signal: AbortSignal.timeout(2 * ANSWER_MS) });
      const event = checked(Answer.parse(await answer.json()));
      if (event.sender === handle && pleases(event)) return event;
    }
    throw new Error('Janus did not say what it was waited for');
  }
}

function checked(answer: Answer): Answer {
  const error = answer.error?.reason ?? answer.plugindata?.data.error;
  if (error !== undefined) throw new Error(`Janus: ${error}`);
  return answer;
}

/** An address of this machine that is not loopback's. @throws Error without one */
function outside(): { name: string; address: string } {
  for (const [name, all = []] of Object.entries(networkInterfaces()))
    for (const { family, internal, address } of all) if (family === 'IPv4' && !internal) return { name, address };
  throw new Error('Janus needs a network interface beside loopback');
}

/** @throws Error when it is not installed, or does not start */
export async function startJanus({ payloadType }: { readonly payloadType: number }): Promise<Janus> {
  const { name, address } = outside();
  const [http = 0, rtp = 0] = await freePorts(2);
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-janus-'));
  await writeFile(
    join(folder, 'janus.jcfg'),
    `general: { configs_folder = "${folder}" plugins_folder = "${LIBRARIES}/plugins" transports_folder = "${LIBRARIES}/transports"
  debug_level = 1 session_timeout = 0 event_loops = 1 protected_folders = [ "/bin" ] }
nat: { ice_enforce_list = "${name}" full_trickle = false ignore_mdns = true }
plugins: { disable = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so" }
transports: { disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so,libjanus_websockets.so" }
`,
  );
  await writeFile(
    join(folder, 'janus.transport.http.jcfg'),
    `general: { json = "compact" base_path = "/janus" http = true port = ${http} ip = "127.0.0.1" https = false }\n`,
  );
  await writeFile(join(folder, 'janus.plugin.streaming.jcfg'), 'general: { }\n');
  // Its GLib complains of each viewer that goes; what goes wrong is said over its API.
  const child = spawn('janus', ['-F', folder, '-o'], { stdio: 'ignore' });
  const missing = once(child, 'error').then(() => {
    throw new Error('there is no Janus on this machine. Debian: apt-get install janus');
  });
  missing.catch(() => undefined);
  const close = async (): Promise<void> => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([answering(`http://127.0.0.1:${http}/janus/info`), missing]);
    const session = new Session(`http://127.0.0.1:${http}/janus`);
    const own = `/${(await session.ask('', { janus: 'create' })).data?.id}`;
    const attach = async (): Promise<number> =>
      (await session.ask(own, { janus: 'attach', plugin: 'janus.plugin.streaming' })).data?.id ?? 0;
    const media = { type: 'video', mid: 'v', port: rtp, pt: payloadType, codec: 'vp8' };
    const mountpoint = { request: 'create', type: 'rtp', id: MOUNTPOINT, media: [media] };
    await session.ask(`${own}/${await attach()}`, { janus: 'message', body: mountpoint });
    const watch: Janus['watch'] = async (answer) => {
      const handle = await attach();
      const say = (body: object, jsep?: object): Promise<Answer> =>
        session.ask(`${own}/${handle}`, { janus: 'message', body, ...(jsep && { jsep }) });
      await say({ request: 'watch', id: MOUNTPOINT });
      const { jsep } = await session.event(own, handle, (event) => event.jsep !== undefined);
      await say({ request: 'start' }, { type: 'answer', sdp: await answer(jsep?.sdp ?? '') });
      await session.event(own, handle, (event) => event.janus === 'webrtcup');
    };
    return { pid: child.pid ?? 0, port: rtp, interfaceName: name, watch, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }

  async function answering(url: string): Promise<void> {
    for (const deadline = performance.now() + READY_MS; performance.now() < deadline;) {
      const answers = await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      );
      if (answers) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`Janus did not come up at ${address}`);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(kill);
}
