/** `/`: make a room or enter one. */
import { Act, Mark } from '@veilcast/design';
import { useState, type FormEvent, type ReactElement } from 'react';
import { freshRoom } from '../look/room-name.ts';
import { roomFromWords } from '../visit/options.ts';
import { t } from '../words/words.ts';
import { CheckLink } from './CheckLink.tsx';
import { Field } from './Field.tsx';
import styles from './Landing.module.css';
import { Page } from './Page.tsx';

function make(): void {
  location.assign(`/r/${freshRoom(crypto.getRandomValues(new Uint32Array(3)))}?role=host`);
}

export function Landing({ lost }: { readonly lost: boolean }): ReactElement {
  const [words, setWords] = useState('');
  const [bad, setBad] = useState(false);
  const enter = (event: FormEvent): void => {
    event.preventDefault();
    const room = roomFromWords(words);
    setBad(room === '');
    if (room !== '') location.assign(`/r/${room}`);
  };
  return (
    <Page corner={<Mark />}>
      <div className={styles.intro}>
        <h1 className={styles.title}>{t(lost ? 'landing.lost' : 'landing.title')}</h1>
        <p className={styles.about}>{t(lost ? 'landing.lostHint' : 'landing.about')}</p>
      </div>
      <div className={styles.make}>
        <Act kind="primary" onPress={make} wide>
          {t('landing.make')}
        </Act>
        <p className={styles.hint}>{t('landing.makeHint')}</p>
      </div>
      <p className={styles.or}>{t('landing.or')}</p>
      <form className={styles.enter} onSubmit={enter}>
        <Field
          label={t('landing.room')}
          value={words}
          onChange={(value) => {
            setWords(value);
            setBad(false);
          }}
          problem={bad ? t('landing.badRoom') : undefined}
          autoComplete="off"
          testId="room"
        />
        <Act type="submit">{t('landing.go')}</Act>
      </form>
      <CheckLink />
    </Page>
  );
}
