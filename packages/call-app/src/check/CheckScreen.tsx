/** `/check`: what works of this device, this browser and this network, before a call. One column of rows; each says what is done, what was found and what to do. */
import { Act, Mark } from '@veilcast/design';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { useLevel } from '../call/hooks.ts';
import { Video } from '../call/Video.tsx';
import { Page } from '../screens/Page.tsx';
import { useStore } from '../visit/store.ts';
import { t } from '../words/words.ts';
import type { Check } from './check.ts';
import styles from './CheckScreen.module.css';
import { CopyResult } from './CopyResult.tsx';
import { CheckRow } from './CheckRow.tsx';
import { ROWS, type RowName, type Rows } from './result.ts';

export function CheckScreen({ check }: { readonly check: Check }): ReactElement {
  const { rows, running, done, camera, microphone } = useStore(check.store);
  useEffect(() => () => check.stop(), [check]);
  return (
    <Page corner={<Mark />}>
      <div className={styles.intro}>
        <h1 className={styles.title}>{t('check.title')}</h1>
        <p className={styles.about}>{t('check.about')}</p>
      </div>
      <Act kind="primary" testId="check-start" isDisabled={running} onPress={() => void check.run()} wide>
        {t(running ? 'check.running' : done ? 'check.again' : 'check.start')}
      </Act>
      <ol className={styles.rows} aria-label={t('check.results')}>
        {ROWS.map((name) => (
          <CheckRow key={name} name={name} row={rows[name]}>
            {name === 'camera' && camera && (
              <div className={styles.preview}>
                <span className="visually-hidden">{t('check.preview')}</span>
                <Video track={camera} className={styles.video ?? ''} />
              </div>
            )}
            {name === 'microphone' && microphone && <Level track={microphone} />}
            {name === 'speaker' && <Speaker check={check} rows={rows} />}
          </CheckRow>
        ))}
      </ol>
      <Announced rows={rows} done={done} />
      {done && <CopyResult rows={rows} />}
      <a className={styles.home} href="/">
        {t('check.home')}
      </a>
    </Page>
  );
}

function Level({ track }: { readonly track: MediaStreamTrack }): ReactElement {
  const bar = useRef<HTMLDivElement>(null);
  useLevel(track, bar);
  return (
    <div ref={bar} className={styles.meter}>
      <span className="visually-hidden">{t('check.level')}</span>
    </div>
  );
}

function Speaker({ check, rows }: { readonly check: Check; readonly rows: Rows }): ReactElement {
  const { outcome, what } = rows.speaker;
  const isAsked = outcome === 'waiting' && what !== '';
  return (
    <div className={styles.acts}>
      <Act testId="check-tone" isDisabled={outcome === 'running'} onPress={() => void check.play()}>
        {t('check.speaker.play')}
      </Act>
      {isAsked && (
        <>
          <Act testId="check-heard" onPress={() => check.heard(true)}>
            {t('check.speaker.yes')}
          </Act>
          <Act testId="check-silent" onPress={() => check.heard(false)}>
            {t('check.speaker.no')}
          </Act>
        </>
      )}
    </div>
  );
}

/** For those who do not see the rows: each result once, when it is there. */
function Announced({ rows, done }: { readonly rows: Rows; readonly done: boolean }): ReactElement {
  const told = useRef(new Map<RowName, string>());
  const [words, setWords] = useState('');
  useEffect(() => {
    const news = ROWS.flatMap((name) => {
      const { outcome, what } = rows[name];
      const line = `${t(`check.row.${name}`)}: ${t(`check.outcome.${outcome}`)}. ${what}`;
      if (outcome === 'waiting' || outcome === 'running' || told.current.get(name) === line) return [];
      told.current.set(name, line);
      return [line];
    });
    if (news.length > 0) setWords(news.join(' '));
    else if (done) setWords(t('check.done'));
  }, [rows, done]);
  return (
    <p className="visually-hidden" aria-live="polite" data-testid="check-said">
      {words}
    </p>
  );
}
