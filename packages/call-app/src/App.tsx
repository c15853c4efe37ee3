/** Which screen: the landing page, the check, or a visit's phase. */
import { useEffect, type ReactElement } from 'react';
import { CallScreen } from './call/CallScreen.tsx';
import { useCall } from './call/hooks.ts';
import type { Check } from './check/check.ts';
import { CheckScreen } from './check/CheckScreen.tsx';
import { FailedScreen, Joining, LeftScreen, LobbyScreen } from './screens/Gate.tsx';
import { Landing } from './screens/Landing.tsx';
import { PreJoin } from './screens/PreJoin.tsx';
import { useStore } from './visit/store.ts';
import type { Visit } from './visit/visit.ts';
import { t } from './words/words.ts';

interface AppProps {
  readonly visit: Visit | undefined;
  readonly check: Check | undefined;
  readonly lost: boolean;
}

export function App({ visit, check, lost }: AppProps): ReactElement {
  useEffect(() => {
    const title = visit?.options.room ?? (check ? t('check.title') : undefined);
    document.title = title === undefined ? t('product') : `${title} · ${t('product')}`;
  }, [visit, check]);
  if (check) return <CheckScreen check={check} />;
  return visit ? <VisitScreen visit={visit} /> : <Landing lost={lost} />;
}

function VisitScreen({ visit }: { readonly visit: Visit }): ReactElement {
  const { phase } = useStore(visit.store);
  switch (phase.kind) {
    case 'preparing':
      return <PreJoin visit={visit} />;
    case 'joining':
      return <Joining visit={visit} step={phase.step} queued={phase.queued} />;
    case 'call':
      return <InCall visit={visit} call={phase.call} />;
    case 'left':
      return <LeftScreen visit={visit} />;
    default:
      return <FailedScreen visit={visit} code={phase.code} againAt={phase.againAt} />;
  }
}

function InCall({
  visit,
  call,
}: { readonly visit: Visit } & Pick<Parameters<typeof CallScreen>[0], 'call'>): ReactElement {
  const { state } = useCall(call);
  if (state === 'waiting') return <LobbyScreen visit={visit} />;
  if (state === 'connecting') return <Joining visit={visit} step="connect" />;
  return <CallScreen visit={visit} call={call} />;
}
