/** Hands the result on, as text or as JSON, without a name or an address unless the person wants them in it. */
import { Act, copyText } from '@veilcast/design';
import { useState, type ReactElement } from 'react';
import { t } from '../words/words.ts';
import styles from './CheckScreen.module.css';
import { jsonOf, ROWS, textOf, type RowName, type Rows } from './result.ts';

export function CopyResult({ rows }: { readonly rows: Rows }): ReactElement {
  const [isPlaced, setPlaced] = useState(false);
  const [said, say] = useState('');
  const place = isPlaced ? { browser: navigator.userAgent, site: location.host } : undefined;
  const titles = Object.fromEntries(ROWS.map((name) => [name, t(`check.row.${name}`)])) as Record<RowName, string>;
  const copy = (text: string): void => {
    void copyText(text).then((isCopied) => say(t(isCopied ? 'check.copy.copied' : 'check.copy.failed')));
  };
  return (
    <section className={styles.copy} aria-label={t('check.copy.title')}>
      <label className={styles.choice}>
        <input type="checkbox" checked={isPlaced} onChange={(event) => setPlaced(event.target.checked)} />
        <span>
          {t('check.copy.place')}
          <span className={styles.hint}>{t('check.copy.hint')}</span>
        </span>
      </label>
      <div className={styles.acts}>
        <Act testId="check-text" onPress={() => copy(textOf(rows, titles, place))}>
          {t('check.copy.text')}
        </Act>
        <Act testId="check-json" onPress={() => copy(jsonOf(rows, place))}>
          {t('check.copy.json')}
        </Act>
      </div>
      <output className={styles.hint}>{said}</output>
    </section>
  );
}
