/** What the call's components share: following the call, the local media, idleness, sizes and waits. */
import type { Call, CallSnapshot } from '@veilcast/client';
import { useEffect, useState, useSyncExternalStore, type RefObject } from 'react';
import type { Size } from '../layout/grid.ts';
import { meter } from '../media/level.ts';
import { pace } from './pace.ts';

/** Between two drawings of the whole call, ms. While somebody joins the picture changes 70 times in a second. */
const DRAW_MS = 100;

export function useCall(call: Call): CallSnapshot {
  return useSyncExternalStore(
    (listener) => {
      const paced = pace(listener, DRAW_MS);
      const off = call.on('change', paced.call);
      return () => {
        off();
        paced.cancel();
      };
    },
    () => call.snapshot,
  );
}

/** True once `waiting` has lasted so long that a person wonders. */
export function useLasting(waiting: boolean, afterMs = 300): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setTimeout(() => setLasting(true), afterMs);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [waiting, afterMs]);
  return waiting && lasting;
}

/** After this long without pointer or key, everything but the people recedes. */
const IDLE_MS = 3_000;
const ACTIVITY = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel'] as const;

export function useIdle(held: boolean): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wake = (): void => {
      setIdle(false);
      clearTimeout(timer);
      if (!held) timer = setTimeout(() => setIdle(true), IDLE_MS);
    };
    wake();
    for (const event of ACTIVITY) window.addEventListener(event, wake, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const event of ACTIVITY) window.removeEventListener(event, wake);
    };
  }, [held]);
  return idle && !held;
}

/** The content size of an element, after every change of it. */
export function useSize(ref: RefObject<HTMLElement | null>): Size | undefined {
  const [size, setSize] = useState<Size>();
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** Writes the level of a track into the element's `--level`, without rendering anything. */
export function useLevel(track: MediaStreamTrack | undefined, ref: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = ref.current;
    if (!track || !element) return undefined;
    const stop = meter(track, (level) => element.style.setProperty('--level', level.toFixed(2)));
    return () => {
      stop();
      element.style.removeProperty('--level');
    };
  }, [track, ref]);
}
