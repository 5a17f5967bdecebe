/* Says so on the page when a key did not answer. */
document.addEventListener("allauth.error", function () {
  "use strict";
  var trouble = document.getElementById("key_trouble");
  if (trouble) { trouble.hidden = false; }
});
