/** What the connection does not carry, when it lasts: said once, in words, beside the call. */
import type { CallSnapshot, NetworkStanding } from '@veilcast/client';
import type { Source } from '@veilcast/protocol';
import { Gauge } from 'lucide-react';
import type { ReactElement } from 'react';
import { t } from '../words/words.ts';
import { useLasting } from './hooks.ts';
import { Notice } from './Notice.tsx';

/** A dip is over before it is read. */
const LASTS_MS = 3_000;

export function Slow({
  snapshot: { self, people, network },
}: {
  readonly snapshot: CallSnapshot;
}): ReactElement | undefined {
  const isSending = self.published.some((source) => isPicture(source) && !self.muted.includes(source));
  const isShown = people.some(({ tracks }) => tracks.some(({ source, muted }) => isPicture(source) && !muted));
  const word = wordOf(network, isSending, isShown);
  const lasting = useLasting(word !== undefined, LASTS_MS);
  if (!lasting || word === undefined) return undefined;
  return <Notice icon={Gauge} testId="slow" what={t(`network.${word}`)} more={t('network.byItself')} />;
}

function isPicture(source: Source): boolean {
  return source === 'camera' || source === 'screen';
}

/** Undefined: nothing that people would notice. Pictures that nobody sends are not missed. */
function wordOf({ send, receive, busy }: NetworkStanding, isSending: boolean, isShown: boolean) {
  const sends = isSending ? send : 'all';
  const receives = isShown ? receive : 'all';
  if (sends === 'sound' && receives === 'sound') return 'bothSound';
  if (receives === 'sound') return 'receiveSound';
  if (sends === 'sound') return 'sendSound';
  if (busy && (isSending || isShown)) return 'busy';
  if (sends === 'less' && receives === 'less') return 'bothLess';
  if (sends === 'less') return 'sendLess';
  return receives === 'less' ? 'receiveLess' : undefined;
}
