import { expect, test } from '@jest/globals';
import { isContent } from '../../../lib/ai/completion/rules/is-content.ts';

test('an image is content of an answer, and an empty list of images is none', () => {
  expect(isContent({ images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] })).toBe(true);
  expect(isContent({ role: 'assistant', content: '', images: [], tool_calls: [], reasoning_details: [] })).toBe(false);
});
