// System.getForce and XmlSerializer.deserialize return plain Force objects for classes that OpenMM does not know; these
// lead back to the class. Copies and pickles go through the same serialization.

%ignore fromXml;  // takes a stream of C++; before the classes are declared, as SWIG wants it

%define DIFFPAIR_CASTING(CLASS)
%newobject DiffPairPlugin::CLASS::_clone;
%newobject DiffPairPlugin::CLASS::_fromXml;
// The result is the same object as its source, under another class: both share SWIG's one handle, which knows the pointer as
// either and owns the C++ object or not. So a force that was cast can be added to a System like its source. Whatever else keeps
// the C++ object alive hangs on the source.
%pythonappend DiffPairPlugin::CLASS::cast %{
        if force.this.next() is None:
            force.this.append(val.this)
        val.this = force.this
        val._source = force
%}
%extend DiffPairPlugin::CLASS {
    %feature("docstring") cast "Get a Force, for example one that System.getForce() returned, as the class that it is.";
    static DiffPairPlugin::CLASS& cast(OpenMM::Force& force) {
        DiffPairPlugin::CLASS* result = dynamic_cast<DiffPairPlugin::CLASS*>(&force);
        if (!result)
            throw OpenMM::OpenMMException(force.getName() + " is not a " #CLASS);
        return *result;
    }
    %feature("docstring") isinstance "Get whether a Force is of this class.";
    static bool isinstance(OpenMM::Force& force) {
        return dynamic_cast<DiffPairPlugin::CLASS*>(&force) != nullptr;
    }
    DiffPairPlugin::CLASS* _clone() {
        return OpenMM::XmlSerializer::clone<DiffPairPlugin::CLASS>(*$self);
    }
    static DiffPairPlugin::CLASS* _fromXml(const std::string& xml) {
        std::istringstream stream(xml);
        return DiffPairPlugin::CLASS::fromXml(stream);
    }
    %pythoncode %{
    def __setstate__(self, xml):
        self.this = type(self)._fromXml(xml).this

    def __copy__(self):
        return self._clone()
    %}
}
%enddef
