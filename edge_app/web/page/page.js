// The page: live picture, reads, zones and lines, focus aid, health. Plain modules, no build step, nothing from elsewhere.
import { words } from "./words.js";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const PAUSE_MS = 120;
const AGAIN_MS = 2000;

const kept = {
  get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* a private window */ } },
};
let language = kept.get("language") || (navigator.language.startsWith("hi") ? "hi" : "en");
let theme = kept.get("theme") || "auto";
let token = sessionStorage.getItem("token") || "";

function say(key, values = {}) {
  const text = words[language]?.[key] ?? words.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
function element(name, { text, className, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
function shape(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- asking the device ------------------------------------------------------------------------

let loggingIn = null;
function logIn(reason = "") {
  $("login-words").textContent = reason;
  loggingIn ??= new Promise((done) => {
    $("login").showModal();
    $("token").focus();
    $("login-form").onsubmit = async (event) => {
      event.preventDefault();
      token = $("token").value.trim();
      const answer = await fetch("v1/cameras", { headers: headers() }).catch(() => null);
      if (answer?.ok) {
        sessionStorage.setItem("token", token);
        $("login").close();
        $("token").value = "";
        loggingIn = null;
        done();
      } else if (answer?.status === 429) {
        $("login-words").textContent = say("too_many", { seconds: answer.headers.get("Retry-After") });
      } else {
        $("login-words").textContent = answer ? say("wrong_token") : say("away");
        $("token").select();
      }
    };
  });
  return loggingIn;
}
$("login").addEventListener("cancel", (event) => event.preventDefault());
const headers = (more = {}) => (token ? { Authorization: `Bearer ${token}`, ...more } : more);

async function ask(path, options = {}) {
  for (;;) {
    const answer = await fetch(path, { ...options, headers: headers(options.headers) });
    if (answer.status !== 401) return answer;
    await logIn();
  }
}

// ---- the live picture -------------------------------------------------------------------------

let camera = null;
let view = { width: 1280, height: 720, plates: [], sequence: -1 };
let isFocusing = false;
let arrivals = [];

async function watch() {
  for (;;) {
    try {
      if (document.hidden || camera === null || withheld) { await wait(300); continue; }
      const asked = camera;
      const width = Math.max(320, Math.min(1920, Math.round(($("stage").clientWidth * devicePixelRatio) / 160) * 160));
      const isMeasured = !isFocusing || typeof view.sharpness === "number";
      const after = view.camera === asked && view.sequence >= 0 && isMeasured ? `&after=${view.sequence}` : "";
      const answer = await ask(`v1/cameras/${asked}/view?width=${width}${after}${isFocusing ? "&focus=1" : ""}`);
      if (answer.status === 204 || asked !== camera) continue;
      if (!answer.ok) {
        showNoPicture(say("waiting_picture"));
        await wait(AGAIN_MS / 2);
        continue;
      }
      await show(await answer.json());
      await wait(PAUSE_MS);
    } catch {
      showNoPicture(say("away"));
      await wait(AGAIN_MS);
    }
  }
}

async function show(next) {
  const bytes = Uint8Array.from(atob(next.jpeg), (each) => each.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  const canvas = $("canvas");
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
  delete next.jpeg;
  const now = performance.now();
  arrivals = [...arrivals.filter((each) => now - each < 3000), now];
  view = next;
  $("no-picture").textContent = "";
  const rate = arrivals.length > 1 ? ((arrivals.length - 1) / ((now - arrivals[0]) / 1000)).toFixed(1) : "–";
  $("caption").textContent = say("caption", { camera: next.camera, width: next.width, height: next.height, rate });
  canvas.setAttribute("aria-label", `${say("live")}: ${next.camera}`);
  showPlates();
  if (isFocusing) showFocus();
  drawOverlay();
}

function showNoPicture(reason) {
  $("no-picture").textContent = reason;
  $("plates").replaceChildren();
  view.plates = [];
  drawOverlay();
}

const percent = (share) => `${Math.floor(share * 100)} %`;

function showPlates() {
  $("plates").replaceChildren(...view.plates.map((plate) => {
    const facts = [say("plate_width", { width: Math.round(plate.width_px) }), say("line_height", { height: Math.round(plate.line_height_px) })];
    if (plate.sharpness !== null) facts.push(say("sharp", { sharpness: plate.sharpness.toFixed(2) }));
    return element("li", { className: plate.outlook },
      element("span", { className: plate.text ? "plate" : "", text: plate.text ?? say("plate_found") }),
      element("span", { text: plate.text ? percent(plate.confidence) : "" }),
      element("span", { className: "note", text: facts.join(", ") }),
      element("strong", { text: say(plate.outlook) }));
  }));
}

// ---- what is drawn over it --------------------------------------------------------------------

let drawing = { zones: [], crossing_lines: [], preset: null };
let saved = "";
let sketch = null;
let isDrawing = false;
let dragged = null;

function drawOverlay() {
  if (dragged) return;
  const overlay = $("overlay");
  const focused = document.activeElement?.dataset?.handle;
  overlay.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`);
  const size = view.width / 46;
  const parts = [];
  for (const plate of view.plates) {
    parts.push(shape("polygon", { class: `box ${plate.outlook}`, points: plate.corners.map((each) => each.join()).join(" ") }));
    const [x, y] = plate.corners[0];
    const label = plate.text ? `${plate.text} ${percent(plate.confidence)}` : "?";
    const left = Math.max(4, Math.min(x, view.width - label.length * size * 0.62));
    parts.push(text(label, left, y > size * 1.6 ? y - size * 0.5 : y + size * 3, size));
  }
  if (isDrawing) parts.push(...shapesOf(size));
  overlay.replaceChildren(...parts);
  if (focused) overlay.querySelector(`[data-handle="${focused}"]`)?.focus();
}

function text(words, x, y, size) {
  const made = shape("text", { transform: `translate(${x} ${y}) scale(${size})` });
  made.textContent = words;
  return made;
}
const px = ([x, y]) => [x * view.width, y * view.height];

function shapesOf(size) {
  const parts = [];
  drawing.zones.forEach((zone, index) => {
    const points = zone.polygon.map(px);
    parts.push(shape("polygon", { class: zone.include ? "zone" : "zone exclude", points: points.map((each) => each.join()).join(" ") }));
    const middle = points.reduce(([a, b], [x, y]) => [a + x / points.length, b + y / points.length], [0, 0]);
    const corner = points[0].map((each, axis) => each * 0.86 + middle[axis] * 0.14);
    parts.push(text(zone.name, corner[0], corner[1] + size * 0.8, size));
    parts.push(...handles(`${say("zone")} ${zone.name}`, zone.polygon, `zones.${index}`, true));
  });
  drawing.crossing_lines.forEach((line, index) => {
    const [[ax, ay], [bx, by]] = [px(line.start), px(line.end)];
    parts.push(shape("path", { class: "line", d: `M${ax} ${ay}L${bx} ${by}` }));
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const [mx, my] = [(ax + bx) / 2, (ay + by) / 2];
    for (const [side, label] of [[1, line.to_right], [-1, line.to_left]]) {
      const [nx, ny] = [-uy * side * size, ux * side * size];
      parts.push(shape("path", { class: "arrow", d: `M${mx + nx * 0.5 - ux * size} ${my + ny * 0.5 - uy * size}L${mx + nx * 1.9} ${my + ny * 1.9}L${mx + nx * 0.5 + ux * size} ${my + ny * 0.5 + uy * size}Z` }));
      parts.push(text(label, mx + nx * 2.8 - label.length * size * 0.3, my + ny * 2.8 + size * 0.4, size));
    }
    parts.push(text(line.name, ax + (bx - ax) * 0.15, ay + (by - ay) * 0.15 - size * 0.6, size));
    parts.push(...handles(`${say("line")} ${line.name}`, [line.start, line.end], `crossing_lines.${index}`, false));
  });
  if (sketch) {
    const points = sketch.points.map(px);
    if (points.length > 1) parts.push(shape("path", { class: "line", d: "M" + points.map((each) => each.join(" ")).join("L") }));
    for (const [x, y] of points) parts.push(shape("circle", { class: "handle between", cx: x, cy: y, r: view.width / 110 }));
  }
  return parts;
}

function handles(name, points, place, isClosed) {
  const made = points.map((point, number) => {
    const [x, y] = px(point);
    const label = say("handle", { shape: name, number: number + 1, x: Math.round(point[0] * 100), y: Math.round(point[1] * 100) });
    return shape("circle", { class: "handle", cx: x, cy: y, r: view.width / 80, tabindex: 0, role: "button", "aria-label": label, "data-handle": `${place}.${number}` });
  });
  if (!isClosed) return made;
  points.forEach((point, number) => {
    const next = points[(number + 1) % points.length];
    const [x, y] = px([(point[0] + next[0]) / 2, (point[1] + next[1]) / 2]);
    made.push(shape("circle", { class: "handle between", cx: x, cy: y, r: view.width / 130, tabindex: 0, role: "button", "aria-label": say("between", { shape: name }), "data-between": `${place}.${number}` }));
  });
  return made;
}

function pointOf(place) {
  const [kind, index, number] = place.split(".");
  const owner = drawing[kind][index];
  const key = kind === "zones" ? null : ["start", "end"][number];
  return {
    get: () => (key ? owner[key] : owner.polygon[number]),
    set: (point) => { if (key) owner[key] = point; else owner.polygon[number] = point; },
    remove: () => { if (!key && owner.polygon.length > 3) owner.polygon.splice(number, 1); },
    addAfter: (point) => owner.polygon.splice(Number(number) + 1, 0, point),
  };
}
const share = (value) => Math.round(Math.max(0, Math.min(1, value)) * 1000) / 1000;
function shareAt(event) {
  const box = $("overlay").getBoundingClientRect();
  return [share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height)];
}

$("overlay").addEventListener("pointerdown", (event) => {
  if (!isDrawing) return;
  if (sketch) {
    event.preventDefault();
    sketch.points.push(shareAt(event));
    if (sketch.kind === "line" && sketch.points.length === 2) finishSketch(); else showSketch();
    return;
  }
  const { handle, between } = event.target.dataset;
  if (between) {
    const [kind, index, number] = between.split(".");
    pointOf(between).addAfter(shareAt(event));
    grab(event, `${kind}.${index}.${Number(number) + 1}`);
  } else if (handle) grab(event, handle);
});
function grab(event, place) {
  event.preventDefault();
  dragged = null;
  changed();
  dragged = { place, point: pointOf(place) };
  $("overlay").setPointerCapture(event.pointerId);
}
$("overlay").addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const held = dragged;
  held.point.set(shareAt(event));
  dragged = null;
  drawOverlay();
  dragged = held;
});
for (const name of ["pointerup", "pointercancel"]) {
  $("overlay").addEventListener(name, () => {
    if (!dragged) return;
    const { place } = dragged;
    dragged = null;
    changed();
    $("overlay").querySelector(`[data-handle="${place}"]`)?.focus();
  });
}
$("overlay").addEventListener("keydown", (event) => {
  const { handle, between } = event.target.dataset;
  if (between && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    const [kind, index, number] = between.split(".");
    const points = drawing[kind][index].polygon;
    const [a, b] = [points[number], points[(Number(number) + 1) % points.length]];
    pointOf(between).addAfter([share((a[0] + b[0]) / 2), share((a[1] + b[1]) / 2)]);
    changed();
    $("overlay").querySelector(`[data-handle="${kind}.${index}.${Number(number) + 1}"]`)?.focus();
    return;
  }
  const step = event.shiftKey ? 0.05 : 0.01;
  const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (!handle || (!move && event.key !== "Delete")) return;
  event.preventDefault();
  const point = pointOf(handle);
  if (move) point.set([share(point.get()[0] + move[0]), share(point.get()[1] + move[1])]); else point.remove();
  changed();
});

function unusedName(kind, tables) {
  for (let number = 1; ; number += 1) if (!tables.some((each) => each.name === `${kind}-${number}`)) return `${kind}-${number}`;
}
function begin(kind) {
  sketch = { kind, points: [] };
  $("stage").classList.add("sketching");
  showSketch();
}
function showSketch() {
  $("sketch").hidden = !sketch;
  $("new-zone").disabled = $("new-line").disabled = Boolean(sketch);
  $("stage").classList.toggle("sketching", Boolean(sketch));
  if (sketch) {
    $("sketch-words").textContent = say(`sketch_${sketch.kind}`, { count: sketch.points.length });
    $("sketch-done").disabled = sketch.points.length < (sketch.kind === "zone" ? 3 : 2);
  }
  drawOverlay();
}
function finishSketch() {
  const { kind, points } = sketch;
  if (kind === "zone") drawing.zones.push({ name: unusedName("zone", drawing.zones), polygon: points, include: true });
  else drawing.crossing_lines.push({ name: unusedName("line", drawing.crossing_lines), start: points[0], end: points[1], to_right: "in", to_left: "out" });
  sketch = null;
  showSketch();
  changed();
}
$("new-zone").onclick = () => begin("zone");
$("new-line").onclick = () => begin("line");
$("sketch-done").onclick = finishSketch;
$("sketch-cancel").onclick = () => { sketch = null; showSketch(); };
$("sketch-shape").onclick = () => {
  sketch.points = sketch.kind === "zone" ? [[0.2, 0.4], [0.8, 0.4], [0.8, 0.9], [0.2, 0.9]] : [[0.1, 0.65], [0.9, 0.65]];
  finishSketch();
};

function field(label, input) {
  return element("label", { className: "field" }, element("span", { text: label }), input);
}
function input(owner, key) {
  const made = element("input", { value: owner[key], maxlength: 64, pattern: "[A-Za-z0-9_\\-]+", autocomplete: "off", spellcheck: "false" });
  made.oninput = () => { owner[key] = made.value; showUnsaved(); drawOverlay(); };
  return made;
}
function button(label, onclick, className = "quiet") {
  const made = element("button", { type: "button", text: label, className });
  made.onclick = onclick;
  return made;
}
function changed() {
  showShapes();
  drawOverlay();
  showUnsaved();
}
function showUnsaved() {
  const is = JSON.stringify(drawing) !== saved;
  $("save").disabled = $("discard").disabled = !is;
  if (is) $("save-words").textContent = say("unsaved");
}
function showShapes() {
  const cards = drawing.zones.map((zone, index) => {
    const use = element("select", {}, element("option", { value: "1", text: say("include") }), element("option", { value: "", text: say("exclude") }));
    use.value = zone.include ? "1" : "";
    use.onchange = () => { zone.include = Boolean(use.value); drawOverlay(); showUnsaved(); };
    return element("div", { className: "card" }, element("h3", { text: `${say("zone")} ${index + 1}` }),
      element("div", { className: "pair" }, field(say("name"), input(zone, "name")), field(say("use"), use)),
      element("div", { className: "row" }, button(say("remove"), () => { drawing.zones.splice(index, 1); changed(); })));
  });
  drawing.crossing_lines.forEach((line, index) => {
    const turn = () => { [line.start, line.end] = [line.end, line.start]; changed(); };
    cards.push(element("div", { className: "card" }, element("h3", { text: `${say("line")} ${index + 1}` }), field(say("name"), input(line, "name")),
      element("div", { className: "pair" }, field(say("to_right"), input(line, "to_right")), field(say("to_left"), input(line, "to_left"))),
      element("div", { className: "row" }, button(say("turn"), turn), button(say("remove"), () => { drawing.crossing_lines.splice(index, 1); changed(); }))));
  });
  if (!cards.length) cards.push(element("p", { className: "note", text: say("none_drawn") }));
  $("shapes").replaceChildren(...cards);
  $("preset-card").hidden = drawing.preset === null;
  $("preset").replaceChildren(...["day", "night_infrared", "auto"].map((each) => element("option", { value: each, text: say(each) })));
  if (drawing.preset !== null) $("preset").value = drawing.preset;
}
$("preset").onchange = () => { drawing.preset = $("preset").value; showUnsaved(); };

async function loadDrawing() {
  const answer = await ask(`v1/cameras/${camera}/settings`);
  if (!answer.ok) return;
  drawing = await answer.json();
  saved = JSON.stringify(drawing);
  sketch = null;
  showSketch();
  changed();
}
$("discard").onclick = async () => { await loadDrawing(); $("save-words").textContent = ""; $("by-hand").hidden = true; };
$("save").onclick = async () => {
  $("save").disabled = true;
  $("by-hand").hidden = true;
  $("save-words").textContent = say("saving");
  const body = JSON.stringify(drawing);
  try {
    const life = await begunAt();
    const answer = await ask(`v1/cameras/${camera}/settings`, { method: "PUT", body, headers: { "Content-Type": "application/json" } });
    const content = await answer.json();
    if (answer.status !== 202) {
      if (answer.status === 409 && content.errors) {
        $("by-hand").hidden = false;
        $("by-hand-text").value = content.errors.join("\n");
        $("save-words").textContent = content.detail;
      } else $("save-words").textContent = say("save_failed", { reason: [content.detail, ...(content.errors ?? [])].join(" · ") });
      $("save").disabled = false;
      return;
    }
    $("save-words").textContent = say("trying");
    const configuration = await settled(life);
    $("save-words").textContent = configuration.reverted ? say("reverted", { reason: configuration.reverted })
      : configuration.wrong ? say("file_wrong", { reason: configuration.wrong }) : say("in_use");
    const words = $("save-words").textContent;
    await loadDrawing();
    $("save-words").textContent = words;
  } catch {
    $("save-words").textContent = say("away");
    $("save").disabled = false;
  }
};
const statusNow = () => ask("v1/status").then((answer) => answer.json()).catch(() => null);
const begunAt = async () => performance.now() / 1000 - ((await statusNow())?.telemetry.uptime_seconds ?? 0);
async function settled(life) {
  const endsAt = Date.now() + 120_000;
  for (;;) {
    await wait(700);
    const status = await statusNow();
    const isNewLife = status && performance.now() / 1000 - status.telemetry.uptime_seconds > life + 0.3;
    if (isNewLife && status.configuration.state !== "trial") return status.configuration;
    if (Date.now() > endsAt) return status?.configuration ?? { reverted: say("away") };
  }
}

// ---- focus aid --------------------------------------------------------------------------------

let best = 0;
function showFocus() {
  if (view.sharpness === null) return;
  best = Math.max(best, view.sharpness);
  const now = best ? view.sharpness / best : 0;
  $("meter-bar").style.width = `${now * 90}%`;
  $("meter-best").style.left = "90%";
  $("meter").setAttribute("aria-valuenow", Math.round(now * 100));
  $("sharpness").textContent = Math.round(view.sharpness);
  $("sharpness-words").textContent = say("sharpness_best", { percent: percent(now) });
  $("edge-words").textContent = view.edge_px === null ? "" : say("edge_words", { px: view.edge_px.toFixed(1) });
}
$("focus-reset").onclick = () => { best = 0; showFocus(); };

// ---- reads ------------------------------------------------------------------------------------

let reads = [];
let readsWithheld = null;
const pictures = new Map();
async function pictureOf(read) {
  const answer = await ask(`v1/reads/${read.event_id}/picture`);
  return answer.ok ? URL.createObjectURL(await answer.blob()) : null;
}
async function loadReads() {
  const answer = await ask("v1/reads");
  if (!answer.ok) return;
  const found = await answer.json();
  readsWithheld = found.withheld;
  reads = found.reads.map((each) => ({ ...each.read, has_picture: each.has_picture }));
  showReads();
}
function takeRead(read) {
  reads = reads.filter((each) => each.event_id !== read.event_id);
  if (read.revision !== "withdrawn") reads.unshift({ ...read, has_picture: read.image !== null });
  reads.length = Math.min(reads.length, 50);
  showReads();
}
function showReads() {
  const shown = new Set(reads.map((each) => each.event_id));
  for (const [id, url] of pictures) if (!shown.has(id)) { Promise.resolve(url).then((each) => each && URL.revokeObjectURL(each)); pictures.delete(id); }
  $("reads-none").textContent = readsWithheld ? say("reads_withheld", { reason: readsWithheld }) : reads.length ? "" : say("no_reads");
  $("reads-list").replaceChildren(...reads.map(readItem));
}
function readItem(read) {
  const item = element("li");
  if (read.has_picture) {
    const image = element("img", { alt: say("picture_of", { plate: read.plate.text }), width: 112, height: 56 });
    if (!pictures.has(read.event_id)) pictures.set(read.event_id, pictureOf(read).catch(() => null));
    Promise.resolve(pictures.get(read.event_id)).then((url) => { if (url) image.src = url; });
    item.append(image);
  } else item.append(element("span", { className: "empty", role: "img", "aria-label": say("no_picture_of") }));
  const head = element("p", { className: "plate" });
  for (const match of read.lists) head.append(element("span", { className: `badge ${match.kind}`, text: `${say(match.kind)}: ${match.list}` }));
  head.append(read.plate.text);
  const facts = [new Date(read.seen.best).toLocaleTimeString(language), say("confidence", { percent: percent(read.plate.confidence) })];
  if (read.geometry.direction !== "unknown") facts.push(say(read.geometry.direction));
  facts.push(...read.geometry.zones, ...read.geometry.crossings.map((each) => `${each.line}: ${each.label}`));
  if (read.plate.category) facts.push(read.plate.category.replace("_", " "));
  if (cameras.length > 1) facts.unshift(read.camera);
  item.append(head, element("p", { text: facts.join(" · ") }));
  if (read.registration) {
    const list = element("dl");
    if (!read.registration.found) list.append(element("dd", { text: say("unknown_plate") }));
    for (const each of read.registration.fields) list.append(element("dt", { text: each.name }), element("dd", { text: each.value ?? "–" }));
    item.append(list);
  }
  return item;
}

// ---- health -----------------------------------------------------------------------------------

let status = null;
function time(moment) { return new Date(moment).toLocaleString(language, { dateStyle: "short", timeStyle: "short" }); }
function card(title, isGood, headline, ...lines) {
  return element("li", { className: isGood ? "" : "fault" }, element("h3", { text: title }),
    element("p", { className: isGood ? "good-words" : "fault-words", text: headline }),
    ...lines.filter(Boolean).map((each) => element("p", { className: "note", text: each })));
}
function showHealth() {
  if (!status) return;
  const cards = status.cameras.map((each) => {
    const isGood = each.state === "good";
    return card(`${say("camera")} ${each.name}`, isGood, say(`s_${each.state}`), isGood ? "" : say(`r_${each.state}`), each.reason, say("since", { time: time(each.since) }));
  });
  const { broker, disk } = status.parts;
  cards.push(card(say("broker"), broker.well, broker.well ? say("b_good") : say("b_fault", { state: broker.state }), broker.advice,
    status.waiting ? say("waits", { count: status.waiting }) : say("none_wait")));
  cards.push(card(say("disk"), disk.well, disk.well ? say("d_good") : say("d_fault", { state: disk.state })));
  const { configuration, board } = status;
  cards.push(card(say("configuration"), !configuration.wrong, configuration.wrong ? say("file_wrong", { reason: configuration.wrong })
    : configuration.state === "trial" ? say("trial") : say("file_used")));
  if (board) {
    const words = board.low_power ? "low_power" : board.half_rate ? "half_rate" : board.slowed ? "slowed" : "works";
    cards.push(card(say("board"), words === "works", say(words), board.celsius === null ? "" : say("temperature", { celsius: Math.round(board.celsius) })));
  }
  $("health-list").replaceChildren(...cards);
  const faults = cards.filter((each) => each.className === "fault").length;
  showState(faults ? "fault" : "good", faults === 0 ? say("all_good") : faults === 1 ? say("ask_one") : say("asks", { count: faults }));
}
function showState(kind, wording) {
  $("state").className = `state ${kind}`;
  if ($("state-words").textContent !== wording) $("state-words").textContent = wording;
}

async function listen() {
  for (;;) {
    try {
      const answer = await ask("v1/events");
      if (!answer.ok) throw new Error(String(answer.status));
      await loadReads();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) take(block);
      }
    } catch { /* tried again */ }
    showState("fault", say("away"));
    await wait(AGAIN_MS);
  }
}
function take(block) {
  const fields = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  if (fields.event === "read") takeRead(JSON.parse(fields.data));
  if (fields.event === "status") {
    status = JSON.parse(fields.data);
    $("device").textContent = status.device ?? "edge-anpr";
    document.title = `${status.device ?? ""} edge-anpr`.trim();
    showHealth();
  }
}

// ---- tabs, languages, light -------------------------------------------------------------------

const tabs = [...$("tabs").children];
function choose(tab, focus = false) {
  for (const each of tabs) {
    const is = each === tab;
    each.setAttribute("aria-selected", String(is));
    each.tabIndex = is ? 0 : -1;
    $(each.getAttribute("aria-controls")).hidden = !is;
  }
  if (focus) tab.focus();
  isDrawing = tab.id === "tab-drawing";
  isFocusing = tab.id === "tab-focus";
  if (!isDrawing && sketch) { sketch = null; showSketch(); }
  drawOverlay();
}
for (const tab of tabs) tab.onclick = () => choose(tab);
$("tabs").addEventListener("keydown", (event) => {
  const now = tabs.indexOf(document.activeElement);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(tabs[(to + tabs.length) % tabs.length], true);
});

const dark = matchMedia("(prefers-color-scheme: dark)");
function showTheme() {
  document.documentElement.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  $("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[theme];
  $("theme").setAttribute("aria-label", say(`theme_${theme}`));
  $("theme").title = say(`theme_${theme}`);
}
dark.addEventListener("change", showTheme);
$("theme").onclick = () => {
  theme = { auto: "light", light: "dark", dark: "auto" }[theme];
  kept.set("theme", theme);
  showTheme();
};
function showLanguage() {
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = say(each.dataset.word);
  $("overlay").setAttribute("aria-label", say("drawing"));
  showTheme();
  showReads();
  showShapes();
  showPlates();
  showHealth();
  drawOverlay();
}
$("language").replaceChildren(...Object.entries(words).map(([key, table]) => element("option", { value: key, text: table.language_name, lang: key })));
$("language").value = language;
$("language").onchange = () => {
  language = $("language").value;
  kept.set("language", language);
  showLanguage();
};

// ---- beginning --------------------------------------------------------------------------------

let cameras = [];
let withheld = null;
async function start() {
  showLanguage();
  for (;;) {
    try {
      const answer = await ask("v1/cameras");
      if (answer.ok) {
        ({ cameras, withheld } = await answer.json());
        break;
      }
    } catch { /* tried again */ }
    showState("fault", say("away"));
    await wait(AGAIN_MS);
  }
  camera = cameras[0].name;
  $("camera").replaceChildren(...cameras.map((each) => element("option", { value: each.name, text: each.name })));
  $("camera").hidden = cameras.length < 2;
  $("camera").onchange = async () => {
    camera = $("camera").value;
    best = 0;
    showNoPicture(say("waiting_picture"));
    await loadDrawing();
  };
  if (withheld) showNoPicture(say("withheld", { reason: withheld }));
  listen();
  watch();
  await loadDrawing();
}
start();
