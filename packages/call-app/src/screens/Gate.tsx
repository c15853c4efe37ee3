/** Lobby, joining, ended, error: one sentence, one act, one way to details. */
import { Act, copyText, cx, Mark } from '@veilcast/design';
import type { ErrorCode } from '@veilcast/protocol';
import { Check, CircleCheck, Copy, DoorClosed, LoaderCircle, TriangleAlert, type LucideIcon } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import { useLasting } from '../call/hooks.ts';
import type { QueuedHere, Visit } from '../visit/visit.ts';
import { ACTS, type Act as ActKind } from '../words/acts.ts';
import { errorWords, t } from '../words/words.ts';
import styles from './Gate.module.css';
import { AgainIn, InLine } from './Waits.tsx';
import { Page } from './Page.tsx';

interface GateProps {
  readonly icon: LucideIcon;
  readonly turning?: boolean;
  readonly what: string;
  readonly more: string;
  readonly children?: ReactNode;
  readonly code?: ErrorCode;
}

function Gate({ icon: Icon, turning = false, what, more, children, code }: GateProps): ReactElement {
  return (
    <Page corner={<Mark />}>
      <div
        className={styles.gate}
        role={code === undefined ? 'status' : 'alert'}
        {...(code === undefined ? {} : { 'data-testid': 'error', 'data-code': code })}
      >
        <span className={cx(styles.icon, code !== undefined && styles.warn)}>
          <Icon size={24} strokeWidth={1.75} aria-hidden className={cx(turning && styles.turning)} />
        </span>
        <h1 className={styles.what}>{what}</h1>
        <p className={styles.more}>{more}</p>
        {code !== undefined && <p className={styles.code}>{t('error.code', { code })}</p>}
      </div>
      <div className={styles.acts}>{children}</div>
    </Page>
  );
}

interface JoiningProps {
  readonly visit: Visit;
  readonly step: 'token' | 'connect';
  readonly queued?: QueuedHere | undefined;
}

export function Joining({ visit, step, queued }: JoiningProps): ReactElement {
  const lasting = useLasting(true);
  if (!lasting) return <Page corner={<Mark />}>{undefined}</Page>;
  const { room } = visit.options;
  const what = queued ? t('wait.line') : t(`wait.${step}`, { room });
  return (
    <Gate icon={LoaderCircle} turning what={what} more={queued ? t('wait.lineHint', { room }) : t('wait.connectHint')}>
      {queued && <InLine {...queued} />}
      <Act onPress={() => void visit.leave()} testId="leave">
        {t('lobby.leave')}
      </Act>
    </Gate>
  );
}

export function LobbyScreen({ visit }: { readonly visit: Visit }): ReactElement {
  return (
    <Gate icon={DoorClosed} what={t('lobby.title')} more={t('lobby.about', { room: visit.options.room })}>
      <Act onPress={() => void visit.leave()} testId="leave">
        {t('lobby.leave')}
      </Act>
    </Gate>
  );
}

export function LeftScreen({ visit }: { readonly visit: Visit }): ReactElement {
  return (
    <Gate icon={CircleCheck} what={t('ended.left', { room: visit.options.room })} more={t('ended.leftHint')}>
      <Act kind="primary" onPress={() => void visit.again()} wide>
        {t('ended.again')}
      </Act>
      <Diagnostics visit={visit} />
    </Gate>
  );
}

interface FailedProps {
  readonly visit: Visit;
  readonly code: ErrorCode;
  readonly againAt: number | undefined;
}

export function FailedScreen({ visit, code, againAt }: FailedProps): ReactElement {
  return (
    <Gate icon={TriangleAlert} what={errorWords(code).what} more={errorWords(code).next} code={code}>
      {againAt !== undefined && <AgainIn at={againAt} />}
      <Act kind="primary" onPress={() => run(visit, ACTS[code])} wide>
        {t(`acts.${WHEN_ENDED[ACTS[code]]}`)}
      </Act>
      {againAt !== undefined && (
        <Act onPress={() => void visit.leave()} testId="leave" wide>
          {t('lobby.leave')}
        </Act>
      )}
      <Diagnostics visit={visit} />
    </Gate>
  );
}

/** What stands beside a call is dismissed; when the call is over, the same act is to join again. */
const WHEN_ENDED = {
  again: 'again',
  home: 'home',
  reload: 'reload',
  device: 'again',
  dismiss: 'again',
} as const satisfies Record<ActKind, ActKind>;

function run(visit: Visit, act: ActKind): void {
  switch (WHEN_ENDED[act]) {
    case 'again':
      void visit.again();
      break;
    case 'home':
      location.assign('/');
      break;
    case 'reload':
      location.reload();
      break;
  }
}

function Diagnostics({ visit }: { readonly visit: Visit }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    setCopied(await copyText(JSON.stringify(await visit.report(), undefined, 2)));
    setTimeout(() => setCopied(false), 2_000);
  };
  const Icon = copied ? Check : Copy;
  return (
    <Act onPress={() => void copy()} wide>
      <Icon size={20} strokeWidth={1.75} aria-hidden />
      <span aria-live="polite">{t(copied ? 'error.copied' : 'error.diagnostics')}</span>
    </Act>
  );
}
