/** What the screens share: the feed, the route in the address, and the time. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Feed, FeedState } from './feed/feed.ts';
import { linkTo, readRoute, type Route } from './route/route.ts';

export function useFeed(feed: Feed): FeedState {
  return useSyncExternalStore(feed.subscribe, feed.state);
}

function onHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

export function useRoute(): Route {
  return readRoute(useSyncExternalStore(onHash, () => location.hash));
}

/** A filter or an order changes the address in place; going somewhere is a step back can undo. */
export function go(route: Route, how: 'step' | 'in place' = 'step'): void {
  if (how === 'step') {
    location.hash = linkTo(route);
    return;
  }
  history.replaceState(undefined, '', linkTo(route));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** This machine's time, once a second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
