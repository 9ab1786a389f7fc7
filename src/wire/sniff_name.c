/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What names and media types claim. */
#include "wire/sniff_impl.h"

struct ending {
    struct str text; /* behind the last dot, lower case */
    enum sniff_kind kind;
    bool path; /* counts in a URL too */
};

static const struct ending endings[] = {
    {STR_INIT("exe"), SNIFF_WINDOWS, true},
    {STR_INIT("com"), SNIFF_WINDOWS, false},
    {STR_INIT("scr"), SNIFF_WINDOWS, true},
    {STR_INIT("pif"), SNIFF_WINDOWS, true},
    {STR_INIT("cpl"), SNIFF_WINDOWS, true},
    {STR_INIT("dll"), SNIFF_WINDOWS, true},
    {STR_INIT("ocx"), SNIFF_WINDOWS, true},
    {STR_INIT("sys"), SNIFF_WINDOWS, true},
    {STR_INIT("msi"), SNIFF_INSTALLER, true},
    {STR_INIT("msp"), SNIFF_INSTALLER, true},
    {STR_INIT("mst"), SNIFF_INSTALLER, true},
    {STR_INIT("msix"), SNIFF_INSTALLER, true},
    {STR_INIT("msixbundle"), SNIFF_INSTALLER, true},
    {STR_INIT("appx"), SNIFF_INSTALLER, true},
    {STR_INIT("appxbundle"), SNIFF_INSTALLER, true},
    {STR_INIT("appinstaller"), SNIFF_INSTALLER, true},
    {STR_INIT("application"), SNIFF_INSTALLER, false},
    {STR_INIT("lnk"), SNIFF_SHORTCUT, true},
    {STR_INIT("scf"), SNIFF_SHORTCUT, true},
    {STR_INIT("bat"), SNIFF_SCRIPT, true},
    {STR_INIT("cmd"), SNIFF_SCRIPT, true},
    {STR_INIT("ps1"), SNIFF_SCRIPT, true},
    {STR_INIT("psm1"), SNIFF_SCRIPT, true},
    {STR_INIT("vbs"), SNIFF_SCRIPT, true},
    {STR_INIT("vbe"), SNIFF_SCRIPT, true},
    {STR_INIT("jse"), SNIFF_SCRIPT, true},
    {STR_INIT("wsf"), SNIFF_SCRIPT, true},
    {STR_INIT("wsh"), SNIFF_SCRIPT, true},
    {STR_INIT("hta"), SNIFF_SCRIPT, true},
    {STR_INIT("reg"), SNIFF_SCRIPT, true},
    {STR_INIT("sh"), SNIFF_SCRIPT, true},
    {STR_INIT("command"), SNIFF_SCRIPT, false},
    {STR_INIT("jar"), SNIFF_JAVA, true},
    {STR_INIT("jnlp"), SNIFF_JAVA, true},
    {STR_INIT("apk"), SNIFF_PACKAGE, true},
    {STR_INIT("apkm"), SNIFF_PACKAGE, true},
    {STR_INIT("xapk"), SNIFF_PACKAGE, true},
    {STR_INIT("ipa"), SNIFF_PACKAGE, true},
    {STR_INIT("deb"), SNIFF_PACKAGE, true},
    {STR_INIT("rpm"), SNIFF_PACKAGE, true},
    {STR_INIT("pkg"), SNIFF_PACKAGE, true},
    {STR_INIT("mpkg"), SNIFF_PACKAGE, true},
    {STR_INIT("snap"), SNIFF_PACKAGE, true},
    {STR_INIT("flatpak"), SNIFF_PACKAGE, true},
    {STR_INIT("flatpakref"), SNIFF_PACKAGE, true},
    {STR_INIT("appimage"), SNIFF_ELF, true},
    {STR_INIT("dmg"), SNIFF_DISK_IMAGE, true},
    {STR_INIT("crx"), SNIFF_EXTENSION, true},
    {STR_INIT("xpi"), SNIFF_EXTENSION, true},
};

/* Members that say what their archive is, wherever its name says otherwise. */
static const struct {
    struct str name;
    enum sniff_kind kind;
} members[] = {
    {STR_INIT("AndroidManifest.xml"), SNIFF_PACKAGE},
    {STR_INIT("classes.dex"), SNIFF_PACKAGE},
    {STR_INIT("AppxManifest.xml"), SNIFF_INSTALLER},
    {STR_INIT("AppxMetadata/AppxBundleManifest.xml"), SNIFF_INSTALLER},
    {STR_INIT("META-INF/MANIFEST.MF"), SNIFF_JAVA},
    {STR_INIT("META-INF/mozilla.rsa"), SNIFF_EXTENSION},
    {STR_INIT("META-INF/cose.sig"), SNIFF_EXTENSION},
    {STR_INIT("install.rdf"), SNIFF_EXTENSION},
};

static const struct {
    struct str type;
    enum sniff_kind kind;
} types[] = {
    {STR_INIT("application/x-msdownload"), SNIFF_WINDOWS},
    {STR_INIT("application/x-msdos-program"), SNIFF_WINDOWS},
    {STR_INIT("application/x-dosexec"), SNIFF_WINDOWS},
    {STR_INIT("application/x-exe"), SNIFF_WINDOWS},
    {STR_INIT("application/exe"), SNIFF_WINDOWS},
    {STR_INIT("application/vnd.microsoft.portable-executable"), SNIFF_WINDOWS},
    {STR_INIT("application/x-msi"), SNIFF_INSTALLER},
    {STR_INIT("application/x-ms-installer"), SNIFF_INSTALLER},
    {STR_INIT("application/x-ms-application"), SNIFF_INSTALLER},
    {STR_INIT("application/msix"), SNIFF_INSTALLER},
    {STR_INIT("application/msixbundle"), SNIFF_INSTALLER},
    {STR_INIT("application/appx"), SNIFF_INSTALLER},
    {STR_INIT("application/appxbundle"), SNIFF_INSTALLER},
    {STR_INIT("application/appinstaller"), SNIFF_INSTALLER},
    {STR_INIT("application/x-ms-shortcut"), SNIFF_SHORTCUT},
    {STR_INIT("application/x-executable"), SNIFF_ELF},
    {STR_INIT("application/x-elf"), SNIFF_ELF},
    {STR_INIT("application/vnd.appimage"), SNIFF_ELF},
    {STR_INIT("application/x-mach-binary"), SNIFF_MACH},
    {STR_INIT("application/java-archive"), SNIFF_JAVA},
    {STR_INIT("application/x-java-archive"), SNIFF_JAVA},
    {STR_INIT("application/java-vm"), SNIFF_JAVA},
    {STR_INIT("application/x-java-jnlp-file"), SNIFF_JAVA},
    {STR_INIT("application/bat"), SNIFF_SCRIPT},
    {STR_INIT("application/x-bat"), SNIFF_SCRIPT},
    {STR_INIT("application/hta"), SNIFF_SCRIPT},
    {STR_INIT("application/x-powershell"), SNIFF_SCRIPT},
    {STR_INIT("application/x-sh"), SNIFF_SCRIPT},
    {STR_INIT("application/x-shellscript"), SNIFF_SCRIPT},
    {STR_INIT("text/vbscript"), SNIFF_SCRIPT},
    {STR_INIT("application/vnd.android.package-archive"), SNIFF_PACKAGE},
    {STR_INIT("application/vnd.debian.binary-package"), SNIFF_PACKAGE},
    {STR_INIT("application/x-debian-package"), SNIFF_PACKAGE},
    {STR_INIT("application/x-rpm"), SNIFF_PACKAGE},
    {STR_INIT("application/x-redhat-package-manager"), SNIFF_PACKAGE},
    {STR_INIT("application/vnd.flatpak"), SNIFF_PACKAGE},
    {STR_INIT("application/vnd.flatpak.ref"), SNIFF_PACKAGE},
    {STR_INIT("application/vnd.apple.installer+xml"), SNIFF_PACKAGE},
    {STR_INIT("application/x-apple-diskimage"), SNIFF_DISK_IMAGE},
    {STR_INIT("application/x-chrome-extension"), SNIFF_EXTENSION},
    {STR_INIT("application/x-xpinstall"), SNIFF_EXTENSION},
};

/* Begins of media types that browsers show or use by themselves. */
static const struct str shown[] = {
    STR_INIT("text/html"),
    STR_INIT("application/xhtml+xml"),
    STR_INIT("text/css"),
    STR_INIT("text/javascript"),
    STR_INIT("text/xml"),
    STR_INIT("application/javascript"),
    STR_INIT("application/json"),
    STR_INIT("application/xml"),
    STR_INIT("application/pdf"),
    STR_INIT("image/"),
    STR_INIT("audio/"),
    STR_INIT("video/"),
    STR_INIT("font/"),
    STR_INIT("multipart/x-mixed-replace"),
    STR_INIT("text/event-stream"),
};

static const struct ending *find_ending(struct str name)
{
    while (name.len != 0 && (name.p[name.len - 1] == '.' || name.p[name.len - 1] == ' ' ||
                             name.p[name.len - 1] == '\0')) {
        name.len--;
    }
    size_t dot = name.len;
    while (dot > 0 && name.p[dot - 1] != '.' && name.p[dot - 1] != '/' && name.p[dot - 1] != '\\') {
        dot--;
    }
    if (dot == 0 || name.p[dot - 1] != '.') {
        return NULL;
    }
    struct str text = str_skip(name, dot);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (str_eq_nocase(text, endings[i].text)) {
            return &endings[i];
        }
    }
    return NULL;
}

enum sniff_kind sniff_name(struct str name)
{
    const struct ending *ending = find_ending(name);
    return ending != NULL ? ending->kind : SNIFF_UNSET;
}

enum sniff_kind sniff_path(struct str path)
{
    const struct ending *ending = find_ending(path);
    return ending != NULL && ending->path ? ending->kind : SNIFF_UNSET;
}

enum sniff_kind sniff_member(struct str name)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (str_eq_nocase(name, members[i].name)) {
            return members[i].kind;
        }
    }
    return sniff_name(name) != SNIFF_UNSET ? SNIFF_ARCHIVED : SNIFF_UNSET;
}

static struct str essence(struct str type)
{
    struct str rest;
    str_cut(type, ';', &type, &rest);
    return str_trim(type);
}

enum sniff_kind sniff_type(struct str type)
{
    type = essence(type);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq_nocase(type, types[i].type)) {
            return types[i].kind;
        }
    }
    return SNIFF_UNSET;
}

bool sniff_type_is_shown(struct str type)
{
    type = essence(type);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (str_eq_nocase(str_sub(type, 0, shown[i].len), shown[i])) {
            return true;
        }
    }
    return false;
}
