// Helps on the letter desk: a text area is as high as its text, and a page with unsaved text asks before it is left.
// The preview while typing is htmx's; without script the button does the same.
(() => {
  const form = document.getElementById("editor");
  if (!form) return;
  let dirty = false;
  form.addEventListener("input", e => {
    if (e.target.matches("textarea")) {
      dirty = true;
      e.target.rows = Math.max(2, e.target.value.split("\n").length);
    }
  });
  form.addEventListener("submit", e => { if (!e.submitter?.formTarget) dirty = false; });
  addEventListener("beforeunload", e => { if (dirty) e.preventDefault(); });
})();
