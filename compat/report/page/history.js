"use strict";

// The past: what every check said over all columns that are kept, oldest first.
let past; // undefined until it is loaded
const UNKNOWN = new Set(["n", "s", ABSENT]);
const MOST_ROWS = 40;
const MOST_NIGHTS = 8; // that have a column of their own
const MOST_SPANS = 8;
const NOTHING = { letter: ABSENT };
const MOVING = new Set(["nightly", "test"]);
const DAY = "2026-11-22".length;

async function loadPast() {
  if (past) return;
  const data = await load("history-data");
  if (past) return; // of somebody who asked at the same time
  const lanes = new Map();
  data.lanes.forEach(({ name, columns: indexes }) => {
    const device = data.columns[indexes[0]].device;
    const key = `${name} on ${device}`;
    lanes.set(key, { key, name, device, indexes });
  });
  const laneOf = [];
  for (const lane of lanes.values()) for (const index of lane.indexes) laneOf[index] = lane;
  const ending = ([index, letter, text]) => [index, { letter, signature: data.texts[text] ?? "" }];
  const checks = new Map(data.checks.map(([id, points]) => [id, { id, name: "", points: new Map(points.map(ending)) }]));
  const answers = data.answers.map(([id, name, points]) => (
    { id, name, points: new Map(points.map(([index, text]) => [index, { text: data.texts[text] }])) }));
  past = { columns: data.columns, checks, answers, lanes, laneOf };
  past.shown = data.columns.map(shownAsColumn).reverse();
}

/** Past columns as the matrix shows columns, newest first; the newest run's are among them. */
function pastColumns() {
  return past?.shown ?? [];
}

function shownAsColumn(column, index) {
  return {
    ...column,
    key: `${column.build}-${column.device}`,
    index: -1,
    past: index,
    letter: (check) => saidAt(past.checks.get(check.id), index)?.letter ?? ABSENT,
  };
}

/** What a check, or an answer, said at a column: it stands where it began to say so. */
function saidAt(row, index) {
  if (!row) return undefined;
  const { indexes } = past.laneOf[index];
  for (let at = indexes.indexOf(index); at >= 0; at -= 1) {
    const said = row.points.get(indexes[at]);
    if (said) return said;
  }
  return undefined;
}

/** Neighbouring columns of a lane in which a check, or an answer, said the same. */
function spans(row, lane) {
  const found = [];
  for (const index of lane.indexes) {
    const said = row.points.get(index);
    if (said || !found.length) found.push({ said: said ?? NOTHING, indexes: [index] });
    else found.at(-1).indexes.push(index);
  }
  return found;
}

function words({ letter, text }) {
  return text ?? letters[letter] ?? "not planned";
}

function period(span) {
  const dates = [span.indexes[0], span.indexes.at(-1)].map((index) => past.columns[index].date);
  return dates[0] === dates[1] ? dates[0] : `${dates[0]} to ${dates[1]}`;
}

function runs(number) {
  return number === 1 ? "1 run" : `${number} runs`;
}

/** A strip, oldest left: the height of each stretch says how it ended; values of answers alternate. */
function strip(row, lane) {
  let at = 0;
  const bars = spans(row, lane).map((span, number) => {
    const outcome = words(span.said).replace(" ", "-");
    const [y, height] = span.said.text ? [number % 2 ? 1 : 5, 5] : BARS[outcome] ?? [0, 10];
    const said = `${period(span)}: ${words(span.said)}, ${runs(span.indexes.length)}`;
    const kind = span.said.text ? `value-${number % 2}` : outcome;
    const bar = svg("rect", { class: kind, x: at, y, width: span.indexes.length, height },
      svg("title", {}, said));
    at += span.indexes.length;
    return bar;
  });
  return svg("svg", { class: "strip", viewBox: `0 0 ${at} 10`, preserveAspectRatio: "none",
    "aria-hidden": "true" }, ...bars);
}

// Top and height; what ended badly is tall, what is unknown floats.
const BARS = { pass: [4, 6], unsupported: [9, 1], skip: [9, 1], "not-run": [4, 2], "not-planned": [10, 0] };

function spanList(row, lane) {
  const newest = spans(row, lane).reverse();
  const items = newest.slice(0, MOST_SPANS).map((span) =>
    el("li", {}, sign(span.said), ` ${words(span.said)}, ${period(span)}, ${runs(span.indexes.length)}`,
      span.said.signature ? el("code", { class: "signature" }, span.said.signature) : ""),
  );
  if (newest.length > MOST_SPANS) items.push(el("li", {}, `and ${newest.length - MOST_SPANS} changes before`));
  return el("ol", { class: "spans" }, ...items);
}

function sign({ letter }) {
  return letters[letter] ? glyph(letters[letter]) : "";
}

/** What became of a check on the builds that came before and after: for the cell that is open. */
function cellHistory(id, column) {
  const check = past.checks.get(id);
  const lane = [...past.lanes.values()].find((each) => each.device === column.device
    && each.indexes.some((index) => past.columns[index].build === column.build));
  if (!check || !lane) return [el("p", {}, "No earlier run is kept.")];
  const changed = past.answers.filter((each) => each.id === id && lastChange(each, lane) >= 0);
  return [el("p", { class: "sub" }, `${lane.key}, ${runs(lane.indexes.length)}, oldest left`), strip(check, lane),
    spanList(check, lane),
    ...changed.flatMap((each) => [el("h4", {}, each.name), strip(each, lane), spanList(each, lane)])];
}

/** The last column at which it began to say something else than before, unknowns aside; or -1. */
function lastChange(row, lane) {
  const known = spans(row, lane).filter(({ said }) => said.text !== undefined || !UNKNOWN.has(said.letter));
  for (let at = known.length - 1; at > 0; at -= 1) {
    if (words(known[at].said) !== words(known[at - 1].said)) return known[at].indexes[0];
  }
  return -1;
}

function renderHistory() {
  const body = document.getElementById("history-body");
  const lanes = [...past.lanes.values()].filter(
    (lane) => lane.indexes.length > 1 && (!state.device || lane.device === state.device));
  if (!lanes.length) {
    body.replaceChildren(el("p", {}, "Every build here was seen in one run only: there is no history yet."));
    return;
  }
  const rows = [...past.checks.values(), ...past.answers].filter(isAsked);
  const found = lanes.map((lane) => ({ lane, changed: changedIn(rows, lane) }));
  // Nightlies have a table each: that is where something moves. The others share one.
  const moving = found.filter(({ lane }) => MOVING.has(past.columns[lane.indexes[0]].channel));
  const others = found.filter((each) => !moving.includes(each));
  body.replaceChildren(
    ...moving.flatMap(({ lane, changed }) => section(lane.key, changed, [lane])),
    ...(others.length ? section("Builds that were run again", others.flatMap(({ changed }) => changed),
      others.map(({ lane }) => lane)) : []));
}

function isAsked(row) {
  const asked = (state.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  if (state.subject && subjectOf(row.id) !== state.subject) return false;
  return asked.every((word) => `${row.id}.${row.name}`.toLowerCase().includes(word));
}

function changedIn(rows, lane) {
  return rows.map((row) => ({ row, lane, at: lastChange(row, lane) })).filter(({ at }) => at >= 0);
}

/** What changed on some lanes: the newest change first, a column a run. */
function section(name, changed, lanes) {
  const quiet = lanes.filter((lane) => !changed.some((each) => each.lane === lane));
  const indexes = lanes.flatMap((lane) => lane.indexes).sort((one, other) => one - other);
  const shown = [...new Set(indexes.map((index) => past.columns[index].run))];
  const [first, latest] = [shown[0], shown.at(-1)].map((run) => run.slice(0, DAY));
  const about = el("p", {}, `${runs(shown.length)}, ${first} to ${latest}. `,
    lanes.length === 1 ? newestTwo(lanes[0]) : "",
    changed.length ? `${changed.length} outcomes and answers changed, the newest change first. ` : "",
    quiet.length ? `Nothing changed on ${quiet.map((lane) => lane.key).join(", ")}.` : "");
  const title = el("h3", {}, name);
  if (!changed.length) return [title, about];
  const sorted = changed.sort((one, other) => other.at - one.at);
  const newest = shown.slice(-MOST_NIGHTS);
  const more = sorted.slice(MOST_ROWS);
  const table = (rows) => nights(name, rows, newest, lanes.length > 1);
  return [title, about, table(sorted.slice(0, MOST_ROWS)),
    more.length ? fold(`older-${name.replaceAll(" ", "-")}`, `${more.length} with older changes`, () => table(more)) : ""];
}

/** A fold that is filled when it is first opened. */
function fold(id, title, content) {
  const details = el("details", { id }, el("summary", {}, title));
  const fill = () => details.open && details.children.length === 1 && details.append(content());
  details.addEventListener("toggle", fill);
  details.open = isToggled(id);
  return details;
}

/** Rows of outcomes and answers; a column a run, after a strip of all of them. */
function nights(name, changed, newest, several) {
  const heads = newest.map((run) => el("th", { scope: "col" }, run.slice(0, DAY)));
  const head = el("tr", {}, el("th", { scope: "col" }, "check or answer"),
    several ? el("th", { scope: "col" }, "on") : "", el("th", { scope: "col" }, "all runs"), ...heads);
  const rows = changed.map((each) => nightsOf(each, newest, several));
  const label = `What changed on ${name}`;
  const table = el("table", { class: "plain nights" }, el("caption", { class: "hidden" }, label),
    el("thead", {}, head), el("tbody", {}, ...rows));
  return el("div", { class: "scroll", role: "region", "aria-label": label }, table);
}

function nightsOf({ row, lane }, newest, several) {
  const check = past.checks.get(row.id);
  const last = lane.indexes.findLast((index) => (saidAt(check, index)?.letter ?? ABSENT) !== ABSENT);
  const name = row.name ? `${row.id}.${row.name}` : row.id;
  // What several cells say together is no cell.
  const cell = last === undefined ? "" : `${row.id}@${past.columns[last].build}-${lane.device}`;
  const shown = cell ? el("a", { href: address({ ...state, cell }) }, name) : name;
  let before;
  const cells = newest.map((run) => {
    const index = lane.indexes.findLast((each) => past.columns[each].run === run);
    const said = index === undefined ? NOTHING : saidAt(row, index) ?? NOTHING;
    if (said.letter === ABSENT) return el("td");
    const same = words(said) === before;
    const other = !same && before !== undefined;
    before = words(said);
    const text = el("span", { class: said.text ? "" : "hidden" }, before);
    return el("td", { class: same ? "same" : other && "other", title: before }, sign(said), said.text && same ? "=" : text);
  });
  return el("tr", {}, el("th", { scope: "row" }, shown), several ? el("td", {}, lane.key) : "",
    el("td", { class: "over" }, strip(row, lane)), ...cells);
}

/** A link to what the newest run of a moving channel changed. */
function newestTwo(lane) {
  const [before, after] = lane.indexes.slice(-2).map((index) => past.columns[index]);
  if (before.build === after.build) return "";
  const compare = `${before.build}-${lane.device}..${after.build}-${lane.device}`;
  return el("a", { class: "newest", href: address({ ...state, compare, at: "matrix" }) }, "Compare the newest two.");
}
