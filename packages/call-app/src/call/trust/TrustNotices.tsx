/** What people must know of keys and identities at once, beside the call: one thing at a time, until they close it or look. */
import type { CallSnapshot } from '@veilcast/client';
import { Act, IconAct } from '@veilcast/design';
import { ShieldAlert, X } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { t } from '../../words/words.ts';
import type { Commands, PanelName } from '../commands.ts';
import { Notice } from '../Notice.tsx';
import { changedPeople, namesOf, warningWords, type Names } from './timeline.ts';

interface TrustNoticesProps {
  readonly snapshot: CallSnapshot;
  readonly panel: PanelName | undefined;
  readonly names: Names;
  readonly commands: Commands;
}

export function TrustNotices({ snapshot, panel, names, commands }: TrustNoticesProps): ReactElement | undefined {
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => new Set());
  if (panel === 'encryption' || panel === 'person') return undefined;
  const close = (key: string) => (): void => setClosed((before) => new Set(before).add(key));
  const changed = changedPeople(snapshot.people).filter(({ peerId }) => !closed.has(peerId));
  const [first] = changed;
  const warning = snapshot.encryption.warnings.findLast(({ at, kind }) => !closed.has(`${kind} ${at}`));
  if (warning) {
    return (
      <Notice icon={ShieldAlert} testId="warning" what={warningWords(warning, names)}>
        <Act onPress={() => commands.toggle('encryption')}>{t('warning.look')}</Act>
        <IconAct icon={X} label={t('error.dismiss')} onPress={close(`${warning.kind} ${warning.at}`)} />
      </Notice>
    );
  }
  if (!first) return undefined;
  return (
    <Notice icon={ShieldAlert} testId="changed" what={t('warning.changed', { names: namesOf([first.peerId], names) })}>
      <Act onPress={() => commands.person(first.peerId)}>{t('warning.look')}</Act>
      <IconAct icon={X} label={t('error.dismiss')} onPress={close(first.peerId)} />
    </Notice>
  );
}
