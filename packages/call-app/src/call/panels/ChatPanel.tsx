/** What was written: sealed for the people who were there. Stays at the newest line unless the person scrolled up. */
import type { Call, ChatLine } from '@veilcast/client';
import { cx, IconAct } from '@veilcast/design';
import { History, SendHorizontal, TriangleAlert } from 'lucide-react';
import { useLayoutEffect, useRef, useState, type FormEvent, type KeyboardEvent, type ReactElement } from 'react';
import { t } from '../../words/words.ts';
import styles from './ChatPanel.module.css';
import { Panel } from './Panel.tsx';

/** With room for the seal, well under what one message may carry. */
const LINE_MAX = 4_000;
/** Lines of one person within this time stand together under one name. */
const TOGETHER_MS = 120_000;
/** Within this many pixels of the end a person reads the newest line, and goes on doing so. */
const NEAR_END = 160;

interface ChatPanelProps {
  readonly call: Call;
  readonly lines: readonly ChatLine[];
  readonly onClose: () => void;
}

export function ChatPanel({ call, lines, onClose }: ChatPanelProps): ReactElement {
  const end = useRef<HTMLLIElement>(null);
  const opened = useRef(false);
  const count = lines.length;
  useLayoutEffect(() => {
    const scroller = end.current?.closest('section');
    if (!scroller || count === 0) return;
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    if (atEnd || !opened.current) scroller.scrollTop = scroller.scrollHeight;
    opened.current = true;
  }, [count]);
  return (
    <Panel title={t('chat.title')} onClose={onClose} foot={<Composer call={call} />}>
      {count === 0 && (
        <div className={styles.empty}>
          <p>{t('chat.empty')}</p>
          <p className={styles.hint}>{t('chat.emptyHint')}</p>
        </div>
      )}
      <ol className={styles.lines} aria-live="polite" aria-relevant="additions">
        {lines.map((line, place) => (
          <Line key={line.id} line={line} together={follows(lines[place - 1], line)} />
        ))}
        <li ref={end} aria-hidden />
      </ol>
    </Panel>
  );
}

function follows(before: ChatLine | undefined, line: ChatLine): boolean {
  if (before === undefined || before.from !== line.from || before.own !== line.own) return false;
  return before.as?.peerId === line.as?.peerId && Math.abs(line.at - before.at) < TOGETHER_MS;
}

interface LineProps {
  readonly line: ChatLine;
  readonly together: boolean;
}

function Line({ line, together }: LineProps): ReactElement {
  const { own, as, disputed } = line;
  const name = own ? t('chat.you') : line.name || t('stage.unnamed');
  const time = new Date(line.at);
  return (
    <li
      className={cx(styles.line, together && styles.together)}
      data-testid="chat-line"
      data-as={as?.name}
      data-pending={line.pending ? '' : undefined}
    >
      <p className={cx(together ? 'visually-hidden' : styles.who)}>
        <bdi className={styles.name}>{name}</bdi>{' '}
        <time dateTime={time.toISOString()}>
          {time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
        </time>
      </p>
      {as && !together && (
        <p className={styles.mark}>
          <History size={16} strokeWidth={1.75} aria-hidden />
          {t('chat.as', { name: as.name || t('stage.unnamed') })}
        </p>
      )}
      <p className={cx(styles.text, own && styles.own, line.pending && styles.pending)} dir="auto">
        {line.text}
      </p>
      {disputed && (
        <p className={cx(styles.mark, styles.disputed)}>
          <TriangleAlert size={16} strokeWidth={1.75} aria-hidden />
          {t('chat.disputed')}
        </p>
      )}
      {line.pending && <p className={styles.mark}>{t('chat.pending')}</p>}
    </li>
  );
}

function Composer({ call }: { readonly call: Call }): ReactElement {
  const [text, setText] = useState('');
  const [failed, setFailed] = useState(false);
  const send = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    const said = text.trim();
    if (said === '') return;
    setText('');
    setFailed(false);
    try {
      await call.say(said);
    } catch {
      setText((now) => now || said);
      setFailed(true);
    }
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form className={styles.composer} onSubmit={(event) => void send(event)}>
      {failed && (
        <p className={styles.failed} role="alert">
          {t('chat.failed')}
        </p>
      )}
      <textarea
        className={styles.input}
        data-testid="chat-input"
        aria-label={t('chat.input')}
        placeholder={t('chat.input')}
        rows={1}
        maxLength={LINE_MAX}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={key}
      />
      <IconAct
        icon={SendHorizontal}
        label={t('chat.send')}
        shortcut="Enter"
        type="submit"
        isDisabled={text.trim() === ''}
      />
    </form>
  );
}
