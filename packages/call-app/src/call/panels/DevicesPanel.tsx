/** Camera, microphone and speaker, chosen during the call, and who may know this device's address. */
import type { ReactElement } from 'react';
import { DeviceSelects } from '../../screens/DeviceSelects.tsx';
import { HideAddress } from '../../screens/HideAddress.tsx';
import type { Visit } from '../../visit/visit.ts';
import { t } from '../../words/words.ts';
import { Panel } from './Panel.tsx';

interface DevicesPanelProps {
  readonly visit: Visit;
  readonly onClose: () => void;
}

export function DevicesPanel({ visit, onClose }: DevicesPanelProps): ReactElement {
  return (
    <Panel title={t('devices.title')} onClose={onClose}>
      <DeviceSelects media={visit.media} />
      <HideAddress visit={visit} />
    </Panel>
  );
}
