import { expect, it } from 'vitest';
import { connect, prepare } from './index.ts';

/** Node has no encoded transforms, like an old browser. */
it('says at once, and with its code, that a browser cannot encrypt', async () => {
  const options = { url: 'http://127.0.0.1:9', token: 'unused' };
  await expect(connect(options)).rejects.toMatchObject({ code: 'MEDIA_UNSUPPORTED' });
  expect(() => prepare()).toThrow(/RTCRtpScriptTransform/);
});
