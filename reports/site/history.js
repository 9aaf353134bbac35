"use strict";

// The past: every check's letters over all columns that are kept, oldest first.
let past; // undefined until it is loaded
const UNKNOWN = new Set(["n", "s", ABSENT]);
const MOST_ROWS = 40;
const MOST_SPANS = 8;

async function loadPast() {
  if (past) return;
  const data = await load("history-data");
  const signatures = data.checks.map(() => new Map());
  for (const [check, column, signature] of data.seen) {
    signatures[check].set(column, data.signatures[signature]);
  }
  const checks = new Map(
    data.checks.map(([id, outcomes], number) => [id, { id, outcomes, signatures: signatures[number] }]),
  );
  const shown = data.columns.map(shownAsColumn).reverse();
  past = { columns: data.columns, checks, shown, lanes: lanesOf(data.columns) };
}

/** Columns that follow one another: those of a moving channel, or of one build; each on a device. */
function lanesOf(all) {
  const lanes = new Map();
  all.forEach((column, index) => {
    const key = `${laneName(column)} on ${column.device}`;
    if (!lanes.has(key)) lanes.set(key, { key, name: laneName(column), device: column.device, indexes: [] });
    lanes.get(key).indexes.push(index);
  });
  return lanes;
}

function laneName(column) {
  if (!["nightly", "test"].includes(column.channel)) return column.build;
  return column.channel + (column.build.match(/-py[\d.]+$/)?.[0] ?? "");
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
    letter: (check) => past.checks.get(check.id)?.outcomes[index] ?? ABSENT,
  };
}

/** Neighbouring columns of a lane in which a check ended alike. */
function spans(check, lane) {
  const found = [];
  for (const index of lane.indexes) {
    const letter = check.outcomes[index];
    const signature = check.signatures.get(index) ?? "";
    const last = found.at(-1);
    if (last?.letter === letter && last.signature === signature) last.indexes.push(index);
    else found.push({ letter, signature, indexes: [index] });
  }
  return found;
}

function outcomeOf(span) {
  return letters[span.letter] ?? "not planned";
}

function period(span) {
  const dates = [span.indexes[0], span.indexes.at(-1)].map((index) => past.columns[index].date);
  return dates[0] === dates[1] ? dates[0] : `${dates[0]} to ${dates[1]}`;
}

function runs(number) {
  return number === 1 ? "1 run" : `${number} runs`;
}

/** A strip, oldest left: the colour and the height of each stretch say how it ended. */
function strip(check, lane) {
  const length = lane.indexes.length;
  let at = 0;
  const bars = spans(check, lane).map((span) => {
    const outcome = outcomeOf(span).replace(" ", "-");
    const [y, height] = BARS[outcome] ?? [0, 10];
    const words = `${period(span)}: ${outcomeOf(span)}, ${runs(span.indexes.length)}`;
    const bar = svg("rect", { class: outcome, x: at, y, width: span.indexes.length, height },
      svg("title", {}, words));
    at += span.indexes.length;
    return bar;
  });
  return svg("svg", { class: "strip", viewBox: `0 0 ${length} 10`, preserveAspectRatio: "none",
    "aria-hidden": "true" }, ...bars);
}

// Top and height; what ended badly is tall, what is unknown floats.
const BARS = { pass: [4, 6], unsupported: [9, 1], skip: [9, 1], "not-run": [4, 2], "not-planned": [10, 0] };

function spanList(check, lane) {
  const newest = spans(check, lane).reverse();
  const items = newest.slice(0, MOST_SPANS).map((span) =>
    el("li", {},
      letters[span.letter] ? glyph(letters[span.letter]) : "",
      ` ${outcomeOf(span)}, ${period(span)}, ${runs(span.indexes.length)}`,
      span.signature ? el("code", { class: "signature" }, span.signature) : ""),
  );
  if (newest.length > MOST_SPANS) items.push(el("li", {}, `and ${newest.length - MOST_SPANS} changes before`));
  return el("ol", { class: "spans" }, ...items);
}

/** What became of a check on the builds that came before and after: for the cell that is open. */
function cellHistory(id, column) {
  const check = past.checks.get(id);
  const lane = past.lanes.get(`${laneName(column)} on ${column.device}`);
  if (!check || !lane) return [el("p", {}, "No earlier run is kept.")];
  return [el("p", { class: "sub" }, `${lane.key}, ${runs(lane.indexes.length)}, oldest left`), strip(check, lane),
    spanList(check, lane)];
}

/** The last column at which a check began to end otherwise than before, unknowns aside. */
function lastChange(check, lane) {
  const known = lane.indexes.filter((index) => !UNKNOWN.has(check.outcomes[index]));
  for (let at = known.length - 1; at > 0; at -= 1) {
    if (check.outcomes[known[at]] !== check.outcomes[known[at - 1]]) return known[at];
  }
  return -1;
}

function renderHistory() {
  const body = document.getElementById("history-body");
  const lanes = [...past.lanes.values()].filter(
    (lane) => lane.indexes.length > 1 && (!state.device || lane.device === state.device));
  // Nightlies first: that is where something moves.
  lanes.sort((one, other) => other.name.startsWith("nightly") - one.name.startsWith("nightly"));
  if (!lanes.length) {
    body.replaceChildren(el("p", {}, "Every build here was seen in one run only: there is no history yet."));
    return;
  }
  body.replaceChildren(...lanes.flatMap(laneSection));
}

function laneSection(lane) {
  const words = (state.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const changed = [...past.checks.values()]
    .filter((check) => words.every((word) => check.id.toLowerCase().includes(word)))
    .map((check) => ({ check, at: lastChange(check, lane) }))
    .filter((row) => row.at >= 0)
    .sort((one, other) => other.at - one.at);
  const title = el("h3", {}, lane.key);
  const dates = period({ indexes: lane.indexes });
  const about = el("p", {}, `${runs(lane.indexes.length)}, ${dates}. `, newestTwo(lane),
    changed.length ? `${changed.length} checks changed, the newest change first:` : "No check changed.");
  const list = el("ul", { class: "lanes" }, ...changed.slice(0, MOST_ROWS).map((row) => laneRow(row, lane)));
  if (changed.length <= MOST_ROWS) return [title, about, list];
  const more = el("button", { type: "button" }, `Show all ${changed.length}`);
  more.addEventListener("click", () => {
    list.append(...changed.slice(MOST_ROWS).map((row) => laneRow(row, lane)));
    more.remove();
  });
  return [title, about, list, more];
}

/** A link to what the newest run of a moving channel changed. */
function newestTwo(lane) {
  const [before, after] = lane.indexes.slice(-2).map((index) => past.columns[index]);
  if (before.build === after.build) return "";
  const compare = `${before.build}-${lane.device}..${after.build}-${lane.device}`;
  return el("a", { class: "newest", href: address({ compare }) }, "Compare the newest two.");
}

function laneRow({ check, at }, lane) {
  const newest = past.columns[lane.indexes.findLast((index) => check.outcomes[index] !== ABSENT)];
  const outcome = letters[check.outcomes[at]];
  const id = `${check.id}@${newest.build}-${newest.device}`;
  const link = el("a", { href: address({ ...state, cell: id }) }, check.id);
  return el("li", {}, el("span", { class: "what" }, link), strip(check, lane),
    el("span", { class: "since" }, glyph(outcome), ` ${outcome} since ${past.columns[at].date}`));
}
