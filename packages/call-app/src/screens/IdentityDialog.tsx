/** The same as in the call, before it: who this browser will be. */
import { cx, IconAct } from '@veilcast/design';
import { X } from 'lucide-react';
import type { ReactElement } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { IdentityCard } from '../call/trust/IdentityCard.tsx';
import { t } from '../words/words.ts';
import styles from './IdentityDialog.module.css';

interface IdentityDialogProps {
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

export function IdentityDialog({ open, onOpen }: IdentityDialogProps): ReactElement {
  return (
    <ModalOverlay className={cx(styles.overlay)} isDismissable isOpen={open} onOpenChange={onOpen}>
      <Modal className={cx(styles.modal)}>
        <Dialog className={cx(styles.dialog)}>
          {({ close }) => (
            <>
              <header className={styles.head}>
                <Heading slot="title" className={cx(styles.title)}>
                  {t('identity.title')}
                </Heading>
                <IconAct icon={X} label={t('panel.close')} shortcut="Esc" onPress={close} />
              </header>
              <IdentityCard />
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
