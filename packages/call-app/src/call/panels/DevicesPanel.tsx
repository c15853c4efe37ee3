/** Camera, microphone and speaker, chosen during the call. */
import type { ReactElement } from 'react';
import type { LocalMedia } from '../../media/local.ts';
import { DeviceSelects } from '../../screens/DeviceSelects.tsx';
import { t } from '../../words/words.ts';
import { Panel } from './Panel.tsx';

interface DevicesPanelProps {
  readonly media: LocalMedia;
  readonly onClose: () => void;
}

export function DevicesPanel({ media, onClose }: DevicesPanelProps): ReactElement {
  return (
    <Panel title={t('devices.title')} onClose={onClose}>
      <DeviceSelects media={media} />
    </Panel>
  );
}
