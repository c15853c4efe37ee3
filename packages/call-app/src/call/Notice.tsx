/** Something the person should know, at the top of the stage, beside the call and never over faces for long. */
import type { LucideIcon } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';
import type { ErrorCode } from '@veilcast/protocol';
import styles from './Notice.module.css';

interface NoticeProps {
  readonly icon: LucideIcon;
  readonly what: string;
  readonly more?: string | undefined;
  readonly code?: ErrorCode;
  readonly testId?: string;
  readonly children?: ReactNode;
}

export function Notice({ icon: Icon, what, more, code, testId, children }: NoticeProps): ReactElement {
  return (
    <div
      className={styles.notice}
      role={code === undefined ? 'status' : 'alert'}
      data-testid={testId}
      {...(code === undefined ? {} : { 'data-testid': 'error', 'data-code': code })}
    >
      <Icon size={20} strokeWidth={1.75} aria-hidden />
      <p className={styles.words}>
        {what}
        {more !== undefined && <span className={styles.more}>{more}</span>}
      </p>
      {children !== undefined && <div className={styles.acts}>{children}</div>}
    </div>
  );
}
