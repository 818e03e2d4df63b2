// The page: one address after the # for each view, and one signal that ends what the view before had going.

import { compareView } from "./compare.js";
import { element } from "./dom.js";
import { jobView } from "./job.js";
import { jobsView } from "./jobs.js";
import { submitView } from "./submit.js";
import { forgetToken, showWhetherKnown } from "./token.js";

const VIEWS = [
  [/^\/?$/, jobsView, "Jobs"],
  [/^\/new$/, submitView, "New job"],
  [/^\/compare$/, compareView, "Compare"],
  [/^\/jobs\/([^/]+)$/, jobView, "Job"],
];

const content = document.getElementById("content");
let left = new AbortController();

function route() {
  left.abort();
  left = new AbortController();
  const [path, query = ""] = location.hash.slice(1).split("?");
  const found = VIEWS.find(([pattern]) => pattern.test(path));
  mark(path || "/");
  content.replaceChildren();
  if (!found) return missing();
  const [pattern, view, title] = found;
  document.title = `${title} · blackbox`;
  view(content, {
    parts: pattern.exec(path).slice(1).map(decodeURIComponent),
    query: new URLSearchParams(query),
    signal: left.signal,
  });
}

function mark(path) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash.slice(1) === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function missing() {
  content.append(
    element("h1", {}, "There is no such page"),
    element("p", {}, element("a", { href: "#/" }, "All jobs")),
  );
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part behind # names the view
  content.focus();
});
document.getElementById("sign-out").addEventListener("click", () => {
  forgetToken();
  route();
});
addEventListener("hashchange", () => {
  route();
  content.focus({ preventScroll: true });
  scrollTo(0, 0);
});
showWhetherKnown();
route();
