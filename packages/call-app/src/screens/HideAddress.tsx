/** The wish that nobody but the server gets an address of this device. It is kept for the next visits. */
import type { ReactElement } from 'react';
import { SwitchRow } from '../call/SwitchRow.tsx';
import { useStore } from '../visit/store.ts';
import type { Visit } from '../visit/visit.ts';
import { t } from '../words/words.ts';

export function HideAddress({ visit }: { readonly visit: Visit }): ReactElement {
  const { hidesAddress } = useStore(visit.store);
  return (
    <SwitchRow
      label={t('devices.hideAddress')}
      hint={t('devices.hideAddressHint')}
      on={hidesAddress}
      onChange={(on) => visit.hideAddress(on)}
      testId="hide-address"
    />
  );
}
