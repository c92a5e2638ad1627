/**
 * Asks once for all who ask the same at the same time: a page of messages is judged side by side, and most
 * of them are of a few senders. Nothing is kept.
 * @param nameOf the same for the same question
 */
export function shared<Question, Answer>(
  nameOf: (question: Question) => string,
  ask: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  const running = new Map<string, Promise<Answer>>();
  return (question) => {
    const name = nameOf(question);
    const answer = running.get(name) ?? ask(question).finally(() => running.delete(name));
    running.set(name, answer);
    return answer;
  };
}
