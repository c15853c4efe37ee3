/** What is needed seldom: layout, colours, devices, shortcuts, diagnostics; and on a phone what the bar has no room for. */
import type { CallSnapshot } from '@veilcast/client';
import { applyTheme, cx, storedTheme, type Theme } from '@veilcast/design';
import { Check, Ellipsis } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import { Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { canShareScreen } from '../media/devices.ts';
import { t } from '../words/words.ts';
import { BarButton } from './BarButton.tsx';
import type { Commands } from './commands.ts';
import styles from './MoreMenu.module.css';
import type { Layout } from './Stage.tsx';

interface MoreMenuProps {
  readonly commands: Commands;
  readonly layout: Layout;
  readonly snapshot: CallSnapshot;
  readonly sharing: boolean;
}

export function MoreMenu({ commands, layout, snapshot, sharing }: MoreMenuProps): ReactElement {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  const choose = (chosen: Theme): void => {
    setTheme(chosen);
    applyTheme(chosen);
  };
  return (
    <MenuTrigger>
      <BarButton icon={Ellipsis} name={t('bar.more')} testId="more" />
      <Popover className={cx(styles.popover)} placement="top" offset={12}>
        <Menu className={cx(styles.menu)} aria-label={t('bar.more')}>
          {snapshot.self.role !== 'viewer' && (
            <MenuSection className={cx(styles.phone)} aria-label={t('bar.label')}>
              {canShareScreen() && <Item onAction={commands.share}>{t(sharing ? 'bar.unshare' : 'bar.share')}</Item>}
              <Item onAction={commands.hand}>{t(snapshot.self.handRaised ? 'bar.handDown' : 'bar.hand')}</Item>
            </MenuSection>
          )}
          <Choice title={t('more.layout')} selected={layout} onSelect={(key) => commands.setLayout(key)}>
            <Item id="grid">{t('more.grid')}</Item>
            <Item id="speaker">{t('more.speaker')}</Item>
          </Choice>
          <Separator className={cx(styles.separator)} />
          <Choice title={t('more.theme')} selected={theme} onSelect={choose}>
            <Item id="system">{t('more.system')}</Item>
            <Item id="light">{t('more.light')}</Item>
            <Item id="dark">{t('more.dark')}</Item>
          </Choice>
          <Separator className={cx(styles.separator)} />
          <Item onAction={() => commands.toggle('devices')}>{t('more.devices')}</Item>
          <Item onAction={() => commands.toggle('shortcuts')}>{t('more.shortcuts')}</Item>
          <Item onAction={commands.diagnostics}>{t('more.diagnostics')}</Item>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

interface ChoiceProps<K extends string> {
  readonly title: string;
  readonly selected: K;
  readonly onSelect: (key: K) => void;
  readonly children: ReactNode;
}

function Choice<K extends string>({ title, selected, onSelect, children }: ChoiceProps<K>): ReactElement {
  return (
    <MenuSection
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[selected]}
      onSelectionChange={(keys) => {
        const [key] = keys === 'all' ? [] : [...keys];
        if (key !== undefined) onSelect(key as K);
      }}
    >
      <Header className={cx(styles.title)}>{title}</Header>
      {children}
    </MenuSection>
  );
}

interface ItemProps {
  readonly id?: string;
  readonly onAction?: () => void;
  readonly children: string;
}

function Item({ children, ...rest }: ItemProps): ReactElement {
  return (
    <MenuItem {...rest} className={cx(styles.item)} textValue={children}>
      {({ isSelected }) => (
        <>
          <span>{children}</span>
          {isSelected && <Check size={20} strokeWidth={1.75} aria-hidden />}
        </>
      )}
    </MenuItem>
  );
}
