/**
 * The text of an answer.
 * @throws RangeError when it has more than `limit` bytes: whoever answers must not fill the memory
 */
export async function boundedText(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  // Not every browser iterates over a stream.
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > limit) {
      await reader?.cancel();
      throw new RangeError('The answer is too long.');
    }
    text += decoder.decode(value, { stream: true });
  }
}
