/** Before the call: see yourself, say your name, join. What others will see and hear is obvious; the lock tells what is encrypted. */
import { Act } from '@veilcast/design';
import { TriangleAlert } from 'lucide-react';
import { useEffect, useState, type FormEvent, type ReactElement } from 'react';
import { Notice } from '../call/Notice.tsx';
import type { LocalState } from '../media/local.ts';
import { cleanName, NAME_MAX } from '../visit/options.ts';
import { useStore } from '../visit/store.ts';
import type { Visit } from '../visit/visit.ts';
import { errorWords, t } from '../words/words.ts';
import { CheckLink } from './CheckLink.tsx';
import { Field } from './Field.tsx';
import { BeforeLock } from './BeforeLock.tsx';
import { Page } from './Page.tsx';
import styles from './PreJoin.module.css';
import { Preview } from './Preview.tsx';

export function PreJoin({ visit }: { readonly visit: Visit }): ReactElement {
  const state = useStore(visit.store);
  const local = useStore(visit.media.store);
  const [name, setName] = useState(state.name);
  useEffect(() => void visit.openMedia(), [visit]);
  const join = (event: FormEvent): void => {
    event.preventDefault();
    void visit.join(cleanName(name));
  };
  const error = local.microphone.error ?? local.camera.error;
  return (
    <Page corner={<BeforeLock />}>
      <h1 className={styles.room}>
        <span className={styles.quiet}>{t('prejoin.room')}</span> {visit.options.room}
      </h1>
      {visit.viewer ? <p className={styles.viewer}>{t('prejoin.viewer')}</p> : <Preview visit={visit} name={name} />}
      {error !== undefined && (
        <Notice icon={TriangleAlert} code={error} what={errorWords(error).what} more={errorWords(error).next}>
          <Act
            onPress={() =>
              void visit.media.start({
                microphone: local.microphone.error !== undefined,
                camera: local.camera.error !== undefined,
              })
            }
          >
            {t('acts.device')}
          </Act>
        </Notice>
      )}
      <form className={styles.form} onSubmit={join}>
        <Field
          label={t('prejoin.name')}
          hint={t('prejoin.nameHint')}
          value={name}
          onChange={setName}
          maxLength={NAME_MAX}
          autoComplete="name"
          testId="name"
        />
        <Act kind="primary" type="submit" testId="join" wide>
          {t('prejoin.join')}
        </Act>
        {!visit.viewer && <output className={styles.seen}>{seen(local)}</output>}
      </form>
      <CheckLink />
    </Page>
  );
}

function seen({ microphone, camera }: LocalState): string {
  if (microphone.starting || camera.starting) return t('prejoin.opening');
  if (camera.on) return t(microphone.on ? 'prejoin.seen' : 'prejoin.seenOnly');
  return t(microphone.on ? 'prejoin.heardOnly' : 'prejoin.unseen');
}
