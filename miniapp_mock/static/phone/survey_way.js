/** Which questions of a survey are shown, and what is missing: as the server judges, so that nobody is sent back. Pure. */

const NUMBERS = ["rating", "nps", "number"];

/** Whether an answer says anything. */
export function isAnswered(given) {
  if (!given) return false;
  return Boolean(given.choices?.length || given.text?.trim() || Number.isFinite(given.number) || given.on || given.photos?.length || Object.keys(given.cells || {}).length);
}

/** All questions in their order. */
export const questionsOf = (content) => content.pages.flatMap((page) => page.questions);

/** The questions on the way of these answers (by id): the first jump that holds decides, and jumps lead forward only. */
export function shown(questions, given) {
  const places = new Map(questions.map((question, place) => [question.id, place]));
  const way = [];
  for (let place = 0; place < questions.length;) {
    const question = questions[place];
    way.push(question);
    const jump = (question.jumps || []).find((one) => holds(one, question, given[question.id]));
    if (jump?.to === "end") break;
    place = jump && places.get(jump.to) > place ? places.get(jump.to) : place + 1;
  }
  return way;
}

function holds(jump, question, given) {
  const { any_of: any = [], none_of: none = [], at_least: least = null, at_most: most = null } = jump;
  const answered = isAnswered(given);
  if (jump.unanswered) return !answered;
  if (!answered) return !any.length && !none.length && least === null && most === null;
  const chosen = given.choices || [];
  const number = NUMBERS.includes(question.kind) ? given.number : null;
  return (!any.length || any.some((id) => chosen.includes(id))) && !none.some((id) => chosen.includes(id))
    && (least === null || (number !== null && number >= least)) && (most === null || (number !== null && number <= most));
}

/** Why this cannot be sent as it is: a key of a text and its values, or null. */
export function flaw(question, given) {
  const { at_least: least = null, at_most: most = null } = question;
  if (!isAnswered(given)) return question.required === false ? null : ["survey.required"];
  if (question.kind === "matrix" && question.required !== false && Object.keys(given.cells).length < question.rows.length) return ["survey.each_row"];
  if (question.kind === "multiple" && !question.options.some((one) => one.exclusive && given.choices.includes(one.id))) {
    if (least !== null && given.choices.length < least) return ["survey.at_least", { count: least }];
    if (most !== null && given.choices.length > most) return ["survey.at_most", { count: most }];
  }
  if (question.kind === "text") {
    if (least !== null && given.text.trim().length < least) return ["survey.longer", { count: least }];
    if (most !== null && given.text.trim().length > most) return ["survey.shorter", { count: most }];
  }
  if (question.kind === "number") {
    const factor = 10 ** (question.decimals || 0);
    if (Math.round(given.number * factor) / factor !== given.number) return [question.decimals ? "survey.decimals" : "survey.whole", { count: question.decimals }];
    if (least !== null && given.number < least) return ["survey.from", { least }];
    if (most !== null && given.number > most) return ["survey.to", { most }];
  }
  if (question.kind === "date" && ((question.from_on && given.on < question.from_on) || (question.until_on && given.on > question.until_on))) return ["survey.other_day"];
  if (question.kind === "photo" && least !== null && given.photos.length < least) return ["survey.more_photos", { count: least }];
  return null;
}
