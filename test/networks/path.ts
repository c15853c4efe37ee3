/** Which way media goes, read off the browser itself and not off what the product says of it. */
import type { BrowserContext, Page } from 'playwright-core';

/** Runs in the page before anything else: keeps every connection that is made. */
const KEEP = `(() => {
  const all = (window.veilcastConnections = []);
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) { super(...options); all.push(this); }
  };
})()`;

const READ = `Promise.all(window.veilcastConnections.filter((one) => one.connectionState !== 'closed').map(async (one) => {
  const stats = new Map([...(await one.getStats())]);
  const transport = [...stats.values()].find((entry) => entry.type === 'transport' && entry.selectedCandidatePairId);
  const pair = transport && stats.get(transport.selectedCandidatePairId);
  const local = pair && stats.get(pair.localCandidateId);
  if (!local || one.connectionState !== 'connected') return 'none';
  return local.candidateType === 'relay' ? 'relay-' + local.relayProtocol : local.protocol;
}))`;

export type Way = 'none' | 'udp' | 'tcp' | 'relay-udp' | 'relay-tcp' | 'relay-tls';

export async function keepConnections(context: BrowserContext): Promise<void> {
  await context.addInitScript(KEEP);
}

/** Of its connections that live, in the order in which they were made. */
export function waysOf(page: Page): Promise<Way[]> {
  return page.evaluate<Way[]>(READ);
}
