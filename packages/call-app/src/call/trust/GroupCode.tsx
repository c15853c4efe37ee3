/** The code of the call to compare: digits to read aloud, or pictures to look at. Both are of the same keys. */
import { groupEmoji, type Encryption } from '@veilcast/client';
import { Act, copyText, cx } from '@veilcast/design';
import { Check, Copy } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { t } from '../../words/words.ts';
import { codeGroups } from '../Lock.tsx';
import styles from './Trust.module.css';

type View = 'digits' | 'pictures';

export function GroupCode({ encryption }: { readonly encryption: Encryption }): ReactElement {
  const [view, setView] = useState<View>('digits');
  return (
    <div className={styles.card}>
      <h3 className={styles.label}>{t('encryption.code')}</h3>
      <ToggleButtonGroup
        className={cx(styles.views)}
        aria-label={t('encryption.view')}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[view]}
        onSelectionChange={(keys) => setView(keys.has('pictures') ? 'pictures' : 'digits')}
      >
        <ToggleButton id="digits" className={cx(styles.view)}>
          {t('encryption.digits')}
        </ToggleButton>
        <ToggleButton id="pictures" className={cx(styles.view)} data-testid="pictures">
          {t('encryption.pictures')}
        </ToggleButton>
      </ToggleButtonGroup>
      {view === 'digits' ? <Digits code={encryption.code} /> : <Pictures authenticator={encryption.authenticator} />}
      <p className={styles.quiet}>{t('encryption.codeHint')}</p>
      {view === 'digits' && <CopyCode code={encryption.code} />}
    </div>
  );
}

function Digits({ code }: { readonly code: string }): ReactElement {
  return (
    <p className={styles.code}>
      {codeGroups(code).map((group, place) => (
        <span key={`${place} ${group}`}>{group}</span>
      ))}
    </p>
  );
}

function Pictures({ authenticator }: { readonly authenticator: string }): ReactElement {
  return (
    <ol className={styles.pictures} data-testid="emoji">
      {groupEmoji(authenticator).map(({ picture, name }, place) => (
        <li key={`${place} ${name}`}>
          <span className={styles.picture} aria-hidden>
            {picture}
          </span>
          <span className={styles.pictureName}>{t(`emoji.${name}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function CopyCode({ code }: { readonly code: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    if (!(await copyText(codeGroups(code).join(' ')))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  const Icon = copied ? Check : Copy;
  return (
    <Act onPress={() => void copy()} wide>
      <Icon size={20} strokeWidth={1.75} aria-hidden />
      <span aria-live="polite">{t(copied ? 'link.copied' : 'encryption.copyCode')}</span>
    </Act>
  );
}
