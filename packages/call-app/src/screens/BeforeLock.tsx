/** The lock before the call: the same place, telling what will be encrypted, or that this browser cannot; and who one will be. */
import { Act, cx } from '@veilcast/design';
import { Fingerprint, Lock, LockOpen } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { Button, Dialog, DialogTrigger, Popover } from 'react-aria-components';
import { canEncrypt } from '../media/encrypt.ts';
import { errorWords, t } from '../words/words.ts';
import lock from '../call/Lock.module.css';
import styles from './BeforeLock.module.css';
import { IdentityDialog } from './IdentityDialog.tsx';

export function BeforeLock(): ReactElement {
  const can = canEncrypt();
  const Icon = can ? Lock : LockOpen;
  const [identity, showIdentity] = useState(false);
  return (
    <>
      <DialogTrigger>
        <Button className={cx(lock.button, can ? lock.encrypted : lock.failed)}>
          <Icon size={20} strokeWidth={1.75} aria-hidden />
          <span className={lock.words}>{t(can ? 'lock.before' : 'lock.cannot')}</span>
        </Button>
        <Popover className={cx(styles.popover)} placement="bottom start">
          <Dialog className={cx(styles.words)} aria-label={t('encryption.title')}>
            {({ close }) => (
              <>
                <p>{can ? t('encryption.before') : errorWords('MEDIA_UNSUPPORTED').next}</p>
                <p>{t('encryption.beforeWho')}</p>
                <p className={styles.quiet}>{t('encryption.seenList')}</p>
                {can && (
                  <Act
                    testId="identity"
                    onPress={() => {
                      close();
                      showIdentity(true);
                    }}
                  >
                    <Fingerprint size={20} strokeWidth={1.75} aria-hidden />
                    {t('identity.title')}
                  </Act>
                )}
              </>
            )}
          </Dialog>
        </Popover>
      </DialogTrigger>
      <IdentityDialog open={identity} onOpen={showIdentity} />
    </>
  );
}
