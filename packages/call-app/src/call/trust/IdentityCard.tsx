/** This browser's identity: what others see of it, a sealed copy of it, another in its place, a new key, and its end. */
import { Act, copyText, cx } from '@veilcast/design';
import { Check, Copy } from 'lucide-react';
import { useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { deviceIdentity, importDeviceIdentity, type DeviceIdentity } from '../../visit/device.ts';
import { Field } from '../../screens/Field.tsx';
import { t } from '../../words/words.ts';
import styles from './Trust.module.css';

/** A passphrase that is shorter is guessed by whoever finds the copy. */
const PASSPHRASE_MIN = 10;

type Told = { readonly words: string; readonly bad: boolean } | undefined;

export function IdentityCard(): ReactElement {
  const [identity, setIdentity] = useState<DeviceIdentity | 'none'>();
  const [told, tell] = useState<Told>();
  useEffect(() => {
    let here = true;
    deviceIdentity().then(
      (own) => here && setIdentity(own),
      () => here && setIdentity('none'),
    );
    return () => {
      here = false;
    };
  }, []);
  if (identity === undefined) return <p className={styles.quiet}>{t('identity.loading')}</p>;
  if (identity === 'none') return <p>{t('identity.none')}</p>;
  const act = async (step: Promise<DeviceIdentity>, done: string): Promise<void> => {
    try {
      setIdentity(await step);
      tell({ words: done, bad: false });
    } catch {
      tell({ words: t('identity.failed'), bad: true });
    }
  };
  return (
    <>
      <p>{t('identity.about')}</p>
      <div className={styles.card}>
        <h3 className={styles.label}>{t('verify.fingerprint')}</h3>
        <p className={styles.print} data-testid="fingerprint">
          {identity.fingerprint}
        </p>
      </div>
      {told && <output className={cx(styles.told, told.bad ? styles.bad : styles.good)}>{told.words}</output>}
      <Export identity={identity} />
      <Import onImport={(text, passphrase) => act(importDeviceIdentity(text, passphrase), t('identity.imported'))} />
      <Sure
        title={t('identity.rotate')}
        hint={t('identity.rotateHint')}
        yes={t('identity.rotateYes')}
        testId="rotate"
        onYes={() => act(identity.rotate(), t('identity.rotated'))}
      />
      <Sure
        title={t('identity.revoke')}
        hint={t('identity.revokeHint')}
        yes={t('identity.revokeYes')}
        testId="revoke"
        danger
        onYes={() => act(identity.revoke(location.origin).then(deviceIdentity), t('identity.revoked'))}
      />
    </>
  );
}

function Part({
  title,
  hint,
  children,
}: {
  readonly title: string;
  readonly hint: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <details className={styles.part}>
      <summary>{title}</summary>
      <p className={styles.quiet}>{hint}</p>
      {children}
    </details>
  );
}

function Export({ identity }: { readonly identity: DeviceIdentity }): ReactElement {
  const [passphrase, setPassphrase] = useState('');
  const [copy, setCopy] = useState<string>();
  const [copied, setCopied] = useState(false);
  const [busy, setBusy] = useState(false);
  const seal = async (): Promise<void> => {
    setBusy(true);
    setCopy(await identity.export(passphrase).catch(() => undefined));
    setBusy(false);
    setPassphrase('');
  };
  return (
    <Part title={t('identity.export')} hint={t('identity.exportHint')}>
      <Passphrase value={passphrase} onChange={setPassphrase} min={PASSPHRASE_MIN} />
      <Act onPress={() => void seal()} isDisabled={busy || passphrase.length < PASSPHRASE_MIN} testId="export" wide>
        {t(busy ? 'identity.sealing' : 'identity.exportYes')}
      </Act>
      {copy !== undefined && (
        <>
          <textarea className={styles.copy} readOnly rows={4} value={copy} aria-label={t('identity.copyLabel')} />
          <Act onPress={() => void copyText(copy).then(setCopied)} wide>
            {copied ? (
              <Check size={20} strokeWidth={1.75} aria-hidden />
            ) : (
              <Copy size={20} strokeWidth={1.75} aria-hidden />
            )}
            {t(copied ? 'link.copied' : 'identity.copy')}
          </Act>
        </>
      )}
    </Part>
  );
}

interface ImportProps {
  readonly onImport: (text: string, passphrase: string) => Promise<void>;
}

function Import({ onImport }: ImportProps): ReactElement {
  const [text, setText] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const open = async (): Promise<void> => {
    setBusy(true);
    await onImport(text.trim(), passphrase);
    setBusy(false);
    setPassphrase('');
  };
  return (
    <Part title={t('identity.import')} hint={t('identity.importHint')}>
      <textarea
        className={styles.copy}
        rows={3}
        value={text}
        onChange={(event) => setText(event.target.value)}
        aria-label={t('identity.copyLabel')}
        placeholder={t('identity.copyLabel')}
      />
      <Passphrase value={passphrase} onChange={setPassphrase} min={0} />
      <Act
        onPress={() => void open()}
        isDisabled={busy || text.trim() === '' || passphrase === ''}
        testId="import"
        wide
      >
        {t(busy ? 'identity.opening' : 'identity.importYes')}
      </Act>
    </Part>
  );
}

interface PassphraseProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly min: number;
}

function Passphrase({ value, onChange, min }: PassphraseProps): ReactElement {
  return (
    <Field
      label={t('identity.passphrase')}
      {...(min > 0 && { hint: t('identity.passphraseHint', { count: min }) })}
      type="password"
      autoComplete="off"
      value={value}
      onChange={onChange}
    />
  );
}

interface SureProps {
  readonly title: string;
  readonly hint: string;
  readonly yes: string;
  readonly testId: string;
  readonly danger?: boolean;
  readonly onYes: () => Promise<void>;
}

/** Behind its own title, so that nobody comes upon it by a slip. */
function Sure({ title, hint, yes, testId, danger = false, onYes }: SureProps): ReactElement {
  return (
    <Part title={title} hint={hint}>
      <Act kind={danger ? 'danger' : 'quiet'} onPress={() => void onYes()} testId={testId} wide>
        {yes}
      </Act>
    </Part>
  );
}
